{{- $mongodb := dict "root" . "component" "mongodb" }}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Release.Name }}-mongodb
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "enbuild.labels" $mongodb | nindent 4 }}
spec:
  replicas: 1
  serviceName: {{ .Release.Name }}-mongodb
  selector:
    matchLabels:
      {{- include "enbuild.selectorLabels" $mongodb | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "enbuild.selectorLabels" $mongodb | nindent 8 }}
    spec:
      containers:
        - name: mongodb
          image: {{ printf "%s:%s" .Values.mongodb.image.repository .Values.mongodb.image.tag }}
          ports:
            - name: mongodb
              containerPort: 27017
          volumeMounts:
            - name: data
              mountPath: /data/db
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .Values.mongodb.persistence.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ .Values.mongodb.persistence.size }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-mongodb
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "enbuild.labels" $mongodb | nindent 4 }}
spec:
  clusterIP: None
  selector:
    {{- include "enbuild.selectorLabels" $mongodb | nindent 4 }}
  ports:
    - name: mongodb
      port: 27017
      targetPort: mongodb
