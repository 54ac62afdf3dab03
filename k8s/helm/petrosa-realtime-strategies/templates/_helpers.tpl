{{- /* One release in a namespace: objects have the chart's name, as with kustomize. */ -}}

{{- define "rts.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/part-of: petrosa
{{- end }}

{{- define "rts.serviceLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/component: service
{{- end }}

{{- define "rts.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* The table's defaults with the values' settings over them; a name that the table lacks would
       end the service with exit code 78, so it ends the rendering. */ -}}
{{- define "rts.settings" -}}
{{- $settings := dict }}
{{- range .Files.Lines "files/settings.env" }}
{{- if . }}
{{- $pair := splitn "=" 2 . }}
{{- $_ := set $settings $pair._0 $pair._1 }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- if not (hasKey $settings $name) }}
{{- fail (printf "settings: %s is no setting; docs/CONFIGURATION.md lists them" $name) }}
{{- end }}
{{- $_ := set $settings $name $value }}
{{- end }}
{{- range $name, $value := $settings }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "rts.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "rts.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{- /* Helm merges what the user gives into the defaults, and the service takes one way of logging in
       only: another one stands instead of the user and the password. */ -}}
{{- define "rts.credentialFiles" -}}
{{- $files := .Values.credentials.files | default dict }}
{{- if or $files.NATS_TOKEN_FILE $files.NATS_CREDS_FILE $files.NATS_NKEY_SEED_FILE }}
{{- $files = omit $files "NATS_USER_FILE" "NATS_PASSWORD_FILE" }}
{{- end }}
{{- toYaml $files }}
{{- end }}

{{- define "rts.credentials" -}}
{{- with include "rts.credentialFiles" . | fromYaml }}
env:
  {{- range $name, $key := . }}
  - name: {{ $name }}
    value: /etc/realtime-strategies/nats/{{ $key }}
  {{- end }}
{{- end }}
{{- end }}
