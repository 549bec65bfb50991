{{/* The directory that the Secret is mounted at. */}}
{{- define "stoker.secrets" -}}
/run/secrets/stoker
{{- end -}}

{{/* The keys of the Secret, and the files they become. */}}
{{- define "stoker.files" -}}
{{- $secret := .Values.secret -}}
{{- $files := list -}}
{{- /* Each of several projects has a token of its own, so one for all is not asked for. */ -}}
{{- if not .Values.config.projects -}}
{{- $files = append $files (dict "key" $secret.tokenKey "path" "token") -}}
{{- end -}}
{{- $files = append $files (dict "key" $secret.agentTokenKey "path" "agent-token") -}}
{{- with $secret.gitTokenKey -}}
{{- $files = append $files (dict "key" . "path" "git-token") -}}
{{- end -}}
{{- with $secret.webhookKey -}}
{{- $files = append $files (dict "key" . "path" "webhook-secret") -}}
{{- end -}}
{{- range $secret.keys -}}
{{- $files = append $files (dict "key" . "path" .) -}}
{{- end -}}
{{- $paths := list -}}
{{- range $files -}}
{{- if has .path $paths -}}
{{- fail (printf "two keys of the secret would be the file %s" .path) -}}
{{- end -}}
{{- $paths = append $paths .path -}}
{{- end -}}
{{- range regexFindAll (printf "%s/[A-Za-z0-9._-]+" (include "stoker.secrets" .)) (include "stoker.config" .) -1 -}}
{{- if not (has (base .) $paths) -}}
{{- fail (printf "config names %s, which is not mounted: put %s into secret.keys" . (base .)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $files -}}
{{- end -}}

{{/* The settings, with what the Secret adds to them. */}}
{{- define "stoker.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $secret := .Values.secret -}}
{{- $sources := list $config.repo $config.projects .Values.manifests | compact | len -}}
{{- if ne $sources 1 -}}
{{- fail "set one of config.repo, config.projects and manifests: it says where the manifests are" -}}
{{- end -}}
{{- if $secret.gitTokenKey -}}
{{- /* One token for all would be sent to every project's code host. */ -}}
{{- if not $config.repo -}}
{{- fail "secret.gitTokenKey is for config.repo; each of several projects names its own repoTokenFile" -}}
{{- end -}}
{{- $config = merge $config (dict "repoTokenFile" (printf "%s/git-token" (include "stoker.secrets" .))) -}}
{{- end -}}
{{- if $secret.webhookKey -}}
{{- if $config.projects -}}
{{- fail "secret.webhookKey is for one project; each of several names its own webhook.secretFile" -}}
{{- end -}}
{{- $webhook := dict "provider" "auto" "secretFile" (printf "%s/webhook-secret" (include "stoker.secrets" .)) -}}
{{- $config = merge $config (dict "webhook" $webhook) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}
