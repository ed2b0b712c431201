#!/bin/sh
# A signed call with nothing but curl and openssl: ACTION BODY [BODY_THAT_IS_SENT_INSTEAD]. Needs HOST, ACCESS_KEY, SECRET_KEY; takes REGION, VERSION.
set -eu
action=$1 body=$2 sent=${3:-$2}
region=${REGION:-cn-beijing} service=veecp_openapi version=${VERSION:-2021-03-03}
now=$(date -u +%Y%m%dT%H%M%SZ)
day=${now%T*}
sha() { printf %s "$1" | openssl dgst -sha256 -r | cut -d' ' -f1; }
mac() { printf %s "$2" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -r | cut -d' ' -f1; }
hash=$(sha "$body")
canonical="POST
/
Action=$action&Version=$version
host:$HOST
x-content-sha256:$hash
x-date:$now

host;x-content-sha256;x-date
$hash"
text="HMAC-SHA256
$now
$day/$region/$service/request
$(sha "$canonical")"
key=$(printf %s "$SECRET_KEY" | od -An -v -tx1 | tr -d ' \n')
for part in "$day" "$region" "$service" request; do key=$(mac "$key" "$part"); done
exec curl -sSN "http://$HOST/?Action=$action&Version=$version" -H 'Content-Type: application/json' -H "X-Date: $now" -H "X-Content-Sha256: $hash" \
  -H "Authorization: HMAC-SHA256 Credential=$ACCESS_KEY/$day/$region/$service/request, SignedHeaders=host;x-content-sha256;x-date, Signature=$(mac "$key" "$text")" -d "$sent"
