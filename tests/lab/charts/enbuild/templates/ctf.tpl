{{- if .Values.lightning_features.secure_lightning.ctf }}
{{- $environment := list (dict "name" "AWS_REGION" "value" .Values.enbuildCTF.aws_region) }}
{{ include "enbuild.component" (dict "root" . "component" "ctf" "values" .Values.enbuildCTF "port" 8000 "health" "/health" "environment" $environment) }}
{{- end }}
