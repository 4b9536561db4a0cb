# Completion of sluiced for bash. That of sluicectl is made by "sluicectl --generate-completion-script bash".
# shellcheck shell=bash

_sluiced() {
    local current=${COMP_WORDS[COMP_CWORD]}
    local previous=${COMP_WORDS[COMP_CWORD - 1]}
    compopt -o filenames 2>/dev/null
    if [[ $previous == --config ]]; then
        mapfile -t COMPREPLY < <(compgen -f -X '!*.toml' -- "$current"; compgen -d -- "$current")
    else
        compopt +o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -W '--config --until-empty --help --version' -- "$current")
    fi
}
complete -F _sluiced sluiced
