# edgehold-node: what an onboarded machine can be told. Functions first, so that the whole file is read before it acts (a reset deletes it).

status() {
  read_conf
  say "This machine is the node $EH_NODE_NAME of the cluster $EH_CLUSTER_NAME."
  ask /join/membership
  if [ "$http_status" = 200 ]; then say "The server says: $answer."; else say "The server did not answer: $answer"; fi
}

main() {
  command=${1:-help}
  [ $# -eq 0 ] || shift
  case $command in
    start | run | keep) "$command" "$@" ;;
    boot) boot ;;
    tree) tree ;;
    status) status ;;
    reset) reset "$@" ;;
    *)
      echo 'Usage: edgehold-node status | reset'
      echo '  status  says whose node this machine is and what the server says of it'
      echo '  reset   undoes everything that the onboarding script did'
      [ "$command" = help ] || exit 2
      ;;
  esac
}

main "$@"
exit
