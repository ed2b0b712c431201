# The way into the region's network from outside of it: an encrypted overlay, in which this machine has the address $EH_OVERLAY_ADDRESS. On machines that are
# on that network themselves none of this is used.

EH_OVERLAY=$EH_ETC/overlay

is_outside() { [ -n "${EH_OVERLAY_ADDRESS:-}" ]; }

# The programs of this node, in the order in which they are started.
programs() { echo "${EH_OVERLAY_ADDRESS:+overlay }$EH_COMPONENTS agent"; }

# The private key never leaves this machine.
make_overlay_key() {
  mkdir -p "$EH_OVERLAY"
  chmod 700 "$EH_OVERLAY"
  [ ! -s "$EH_OVERLAY/key" ] || [ ! -s "$EH_OVERLAY/key.pub" ] || return 0
  rm -f "$EH_OVERLAY/key" "$EH_OVERLAY/key.pub"
  (umask 077 && "$EH_BIN/nebula-cert" keygen -out-key "$EH_OVERLAY/key" -out-pub "$EH_OVERLAY/key.pub")
}

# Asks for certificate and settings; those that it has stay where the server calls them right. Sets $overlay_changed. Fails with $answer.
overlay_changed=
renew_overlay_papers() {
  overlay_changed=
  have=
  if [ -s "$EH_OVERLAY/settings.yml" ] && [ -s "$EH_OVERLAY/have" ]; then have=$(cat "$EH_OVERLAY/have"); fi
  ask /join/overlay "public-key=$(cat "$EH_OVERLAY/key.pub")" "have=$have"
  [ "$http_status" = 200 ] || return 1
  [ "$answer" != same ] || return 0
  eval "$answer" # EH_OVERLAY_SETTINGS_BASE64, EH_OVERLAY_HAVE
  (umask 077 && printf '%s' "$EH_OVERLAY_SETTINGS_BASE64" | base64 -d > "$EH_OVERLAY/settings.part") || return 1
  mv "$EH_OVERLAY/settings.part" "$EH_OVERLAY/settings.yml"
  printf '%s' "$EH_OVERLAY_HAVE" > "$EH_OVERLAY/have"
  overlay_changed=1
}

# The region answers through the overlay.
overlay_leads_in() {
  node_network || return 1
  curl -s --connect-timeout 2 --max-time 4 -o /dev/null "http://$EH_REGISTRY/v2/" || curl -sk --connect-timeout 2 --max-time 4 -o /dev/null "$EH_API_URL/readyz"
}
