{{ include "enbuild.component" (dict "root" . "component" "user" "values" .Values.enbuildUser "port" 8080) }}
