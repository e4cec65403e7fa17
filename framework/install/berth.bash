# Completion of berth for bash.
_berth() {
  local commands="path url status wait announce ensure replace list stop clean doctor"
  local common="--app --config-dir --instance --registry --json --help"
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command= i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --)
        # The program to start: completed as if berth were not before it.
        if declare -F _command_offset >/dev/null; then
          _command_offset $((i + 1))
        elif ((COMP_CWORD == i + 1)); then
          mapfile -t COMPREPLY < <(compgen -c -- "$current")
        else
          mapfile -t COMPREPLY < <(compgen -f -- "$current")
        fi
        return ;;
      --app | --config-dir | --instance | --registry) ((++i)) ;;
      -*) ;;
      *) command=${command:-${COMP_WORDS[i]}} ;;
    esac
  done
  case $previous in
    --config-dir)
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      return ;;
    --log)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return ;;
    --registry)
      mapfile -t COMPREPLY < <(compgen -W "etcd:// etcds:// file" -- "$current")
      return ;;
    --timeout)
      mapfile -t COMPREPLY < <(compgen -W "5s 30s 2m 1h" -- "$current")
      return ;;
    --app | --instance | --endpoint | --port | --host | --version | --exact-version | --min-version)
      # -V, --version before a command takes no value.
      [ "$previous" = --version ] && [ -z "$command" ] || return ;;
  esac
  local words=
  case $command in
    "") words="$commands $common --version" ;;
    url) words="$common --endpoint --with-token" ;;
    wait) words="$common --timeout" ;;
    announce) words="$common --port --host --version --" ;;
    ensure | replace) words="$common --timeout --exact-version --per-version --min-version --log --" ;;
    list) words="$common --all --watch" ;;
    stop) words="$common --timeout --now --kill" ;;
    *) words=$common ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _berth berth
