{{- define "understudy.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Labels of a component: (dict "root" $ "component" "proxy") */ -}}
{{- define "understudy.selectorLabels" -}}
app.kubernetes.io/name: understudy
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "understudy.labels" -}}
{{ include "understudy.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: understudy
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "understudy.serviceAccount" -}}
{{- $values := index .root.Values .component -}}
{{- default (printf "%s-%s" (include "understudy.fullname" .root) .component) $values.serviceAccount.name -}}
{{- end -}}

{{- define "understudy.image" -}}
{{- $image := index .root.Values.image .component -}}
{{- printf "%s:%s" $image.repository (default .root.Chart.AppVersion $image.tag) -}}
{{- end -}}

{{- /* Restricted Pod Security Standard, and a root file system that nobody writes. */ -}}
{{- define "understudy.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "understudy.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
capabilities: {drop: [ALL]}
{{- end -}}

{{- /* Names of the objects that carry the configuration: two slots of eight shards for each part (see the operator). */ -}}
{{- define "understudy.configShards" -}}
{{- $prefix := include "understudy.fullname" . -}}
{{- range $slot := list "a" "b" }}{{ range $i := until 8 }}
- {{ printf "%s-config-%s-%d" $prefix $slot $i }}
{{- end }}{{ end }}
{{- end -}}

{{- define "understudy.credentialShards" -}}
{{- $prefix := include "understudy.fullname" . -}}
{{- range $slot := list "a" "b" }}{{ range $i := until 8 }}
- {{ printf "%s-credentials-%s-%d" $prefix $slot $i }}
{{- end }}{{ end }}
{{- end -}}
