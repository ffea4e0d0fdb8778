{{ include "enbuild.component" (dict "root" . "component" "mq" "values" .Values.enbuildMQ "port" 5672) }}
