{{/* The labels of a component that selectors match. Call with a dict of root and component. */}}
{{- define "enbuild.selectorLabels" -}}
app: {{ .component }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/name: {{ .root.Chart.Name }}
{{- end }}

{{/* All labels of a component's objects. */}}
{{- define "enbuild.labels" -}}
{{ include "enbuild.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* "true" where a component has a service account of its own: asked for, and the chart's version knows how. */}}
{{- define "enbuild.ownServiceAccount" -}}
{{- $account := .values.serviceAccount | default dict -}}
{{- if and $account.create (semverCompare ">=0.0.38" .root.Chart.Version) -}}true{{- end -}}
{{- end }}

{{/*
A component: its Deployment, its Service, and its service account where it has one.
Call with a dict of root, component, values, port, and perhaps environment (a list of name and value) and health (a path).
*/}}
{{- define "enbuild.component" -}}
{{- $name := printf "%s-enbuild-%s" .root.Release.Name .component -}}
{{- $own := include "enbuild.ownServiceAccount" . -}}
{{- if $own }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "enbuild.labels" . | nindent 4 }}
  {{- with .values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
---
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "enbuild.labels" . | nindent 4 }}
spec:
  replicas: {{ .values.replicas }}
  selector:
    matchLabels:
      {{- include "enbuild.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "enbuild.selectorLabels" . | nindent 8 }}
    spec:
      {{- if $own }}
      serviceAccountName: {{ $name }}
      {{- end }}
      containers:
        - name: enbuild-{{ .component }}
          image: {{ printf "%s:%s" .values.image.repository .values.image.tag }}
          imagePullPolicy: IfNotPresent
          ports:
            - name: http
              containerPort: {{ .port }}
          {{- with .environment }}
          env:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with .health }}
          livenessProbe:
            httpGet:
              path: {{ . }}
              port: http
          readinessProbe:
            httpGet:
              path: {{ . }}
              port: http
          {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "enbuild.labels" . | nindent 4 }}
spec:
  selector:
    {{- include "enbuild.selectorLabels" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .port }}
      targetPort: http
{{- end }}
