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
{{- with .Values.image }}
{{- .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- /* The table's defaults with the values' settings over them, as text. A name that the table lacks
       would end the service with exit code 78, so it ends the rendering; so do values that the
       other objects do not fit. Numbers go through JSON, which writes 1000000, not 1e+06. */ -}}
{{- define "rts.settings" -}}
{{- $settings := dict }}
{{- range .Files.Lines "files/settings.env" }}
{{- if . }}
{{- $pair := splitn "=" 2 . }}
{{- $_ := set $settings $pair._0 $pair._1 }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- if not (hasKey $settings (splitList "__" $name | first)) }}
{{- fail (printf "settings: %s is no setting; docs/CONFIGURATION.md lists them" $name) }}
{{- end }}
{{- $_ := set $settings $name (kindIs "string" $value | ternary $value (toJson $value)) }}
{{- end }}
{{- if ne $settings.HEALTH_CHECK_PORT "8080" }}
{{- fail "settings.HEALTH_CHECK_PORT: probes, Service and NetworkPolicy have 8080; leave it at that" }}
{{- end }}
{{- if not (has $settings.HEALTH_CHECK_HOST (list "0.0.0.0" "::")) }}
{{- fail "settings.HEALTH_CHECK_HOST: the kubelet asks from outside; set 0.0.0.0 or ::" }}
{{- end }}
{{- if contains "@" $settings.NATS_URL }}
{{- fail "settings.NATS_URL: a user or password is for the Secret; see credentials in README.md" }}
{{- end }}
{{- if ge (int $settings.SHUTDOWN_TIMEOUT_SECONDS) (int .Values.terminationGracePeriodSeconds) }}
{{- fail (printf "settings.SHUTDOWN_TIMEOUT_SECONDS is %s: set terminationGracePeriodSeconds to more than that" $settings.SHUTDOWN_TIMEOUT_SECONDS) }}
{{- end }}
{{- range $name, $value := $settings }}
{{- if and (hasPrefix "TICKER_VELOCITY_TIME_WINDOW" $name) (ge (int $value) (int $.Values.minReadySeconds)) }}
{{- fail (printf "settings.%s is %s: set minReadySeconds to more than that, so that a new pod is warm before an old one goes" $name $value) }}
{{- end }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* Other settings are another ConfigMap: what an old pod reads when it restarts stays as it was. */ -}}
{{- define "rts.settingsName" -}}
{{ .Chart.Name }}-{{ include "rts.settings" . | sha256sum | trunc 10 }}
{{- end }}

{{- /* The ports of NATS_URL; a broker without one listens on 4222. */ -}}
{{- define "rts.brokerPorts" -}}
{{- $ports := list }}
{{- range splitList "," (include "rts.settings" . | fromYaml).NATS_URL }}
{{- $ports = append $ports (regexFind ":[0-9]+$" (trim .) | trimPrefix ":" | default "4222") }}
{{- end }}
{{- range uniq $ports }}
- protocol: TCP
  port: {{ . }}
{{- end }}
{{- end }}

{{- /* What every pod has. */ -}}
{{- define "rts.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- /* What a container of the hooks has beside its name and arguments. */ -}}
{{- define "rts.hookContainer" -}}
image: {{ include "rts.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
resources:
  requests:
    cpu: 10m
    memory: 32Mi
    ephemeral-storage: 16Mi
  limits:
    memory: 64Mi
    ephemeral-storage: 64Mi
securityContext:
  {{- include "rts.containerSecurity" . | nindent 2 }}
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
