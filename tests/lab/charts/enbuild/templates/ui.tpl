{{ include "enbuild.component" (dict "root" . "component" "ui" "values" .Values.enbuildUI "port" 3000) }}
