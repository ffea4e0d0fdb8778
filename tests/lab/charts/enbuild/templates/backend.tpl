{{ include "enbuild.component" (dict "root" . "component" "backend" "values" .Values.enbuildBackend "port" 8080) }}
