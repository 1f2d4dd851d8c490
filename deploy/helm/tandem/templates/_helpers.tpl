{{/* The name of everything. A pod's name, which adds a hyphen and a number, is the node's: at most 40 characters. */}}
{{- define "tandem.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 36 | trimSuffix "-" -}}
{{- end -}}

{{- define "tandem.selectorLabels" -}}
app.kubernetes.io/name: tandem
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: node
{{- end -}}

{{/* Labels of what is not a node. Takes the context and the component. */}}
{{- define "tandem.labelsOf" -}}
app.kubernetes.io/name: tandem
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end -}}

{{- define "tandem.labels" -}}
{{- include "tandem.labelsOf" (list . "node") -}}
{{- end -}}

{{- define "tandem.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{/* The address of a pod in the mesh: takes the context and the pod's name. */}}
{{- define "tandem.host" -}}
{{- $root := index . 0 -}}
{{- printf "%s.%s-mesh.%s.svc" (index . 1) (include "tandem.fullname" $root) $root.Release.Namespace -}}
{{- end -}}

{{/* The first three nodes: the others are found through them. */}}
{{- define "tandem.seeds" -}}
{{- $seeds := list -}}
{{- range $n := until (int (min 3 .Values.replicas)) -}}
{{- $host := include "tandem.host" (list $ (printf "%s-%d" (include "tandem.fullname" $) $n)) -}}
{{- $seeds = append $seeds (printf "%s:%d" $host (int $.Values.mesh.port)) -}}
{{- end -}}
{{- join "," $seeds -}}
{{- end -}}

{{/* A map as TOML: takes the map and its own dotted name. Helm's toToml writes every number as a float; a value in JSON
     is one in TOML too. */}}
{{- define "tandem.toml" -}}
{{- $name := index . 1 -}}
{{- $leaves := list -}}
{{- $tables := list -}}
{{- range $key, $value := index . 0 -}}
{{- if kindIs "map" $value -}}
{{- $path := ternary $key (printf "%s.%s" $name $key) (empty $name) -}}
{{- $tables = append $tables (include "tandem.toml" (list $value $path)) -}}
{{- else -}}
{{- $leaves = append $leaves (printf "%s = %s\n" $key (toJson $value)) -}}
{{- end -}}
{{- end -}}
{{- if and $name $leaves }}{{ printf "[%s]\n" $name }}{{ end -}}
{{- join "" $leaves -}}
{{- join "" $tables -}}
{{- end -}}

{{- define "tandem.queueSecret" -}}
{{- if .Values.queue.urls -}}
{{- printf "%s-rabbitmq" (include "tandem.fullname" .) -}}
{{- else -}}
{{- required "name a Secret in queue.existingSecret, or give queue.urls" .Values.queue.existingSecret -}}
{{- end -}}
{{- end -}}

{{/* Empty where no keys are needed. */}}
{{- define "tandem.objectsSecret" -}}
{{- if .Values.objects.accessKeyId -}}
{{- printf "%s-objects" (include "tandem.fullname" .) -}}
{{- else -}}
{{- .Values.objects.existingSecret -}}
{{- end -}}
{{- end -}}

{{- define "tandem.meshSecret" -}}
{{- default (printf "%s-mesh" (include "tandem.fullname" .)) .Values.mesh.existingSecret -}}
{{- end -}}

{{- define "tandem.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* The children that read foreign bytes add a seccomp filter of their own to RuntimeDefault; that needs no privilege. */}}
{{- define "tandem.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
{{- end -}}

{{- define "tandem.check" -}}
{{- if gt (int .Values.replicas) (int .Values.maxReplicas) -}}
{{- fail "replicas is greater than maxReplicas: there are no mesh certificates for so many nodes" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is greater than maxReplicas" -}}
{{- end -}}
{{- end -}}
