{{- if .Values.lightning_features.deploy_lightning.ai_lightning }}
{{ include "enbuild.component" (dict "root" . "component" "ai" "values" .Values.enbuildAI "port" 8000) }}
{{- end }}
