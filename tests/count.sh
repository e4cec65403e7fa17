# Sourced: count_tests DIRECTORY... sums up the test cases of the last runs of these builds.
count_tests() {
  for directory in "$@"; do cat "$directory"/meson-logs/testlog*.txt; done | tr -d '\r' | awk '
    /^All tests passed \(/ { passed += $(NF - 2) }
    /^test cases:/ { for (i = 2; i <= NF; ++i) { if ($i == "passed") passed += $(i - 1); if ($i == "failed") failed += $(i - 1) } }
    /^[0-9]+ passed, [0-9]+ failed/ { passed += $1; failed += $3 }
    /^Ran [0-9]+ tests? in / { ran = $2; bad = 0 }
    /^(OK|FAILED \()/ && ran {
      text = $0
      while (match(text, /(failures|errors|skipped)=[0-9]+/)) {
        split(substr(text, RSTART, RLENGTH), part, "=")
        if (part[1] == "skipped") ran -= part[2]; else bad += part[2]
        text = substr(text, RSTART + RLENGTH)
      }
      passed += ran - bad; failed += bad; ran = 0
    }
    /^result: .*(killed by signal|timeout)/ && !/FAILED/ { failed += 1 }
    END { printf "%d passed, %d failed\n", passed, failed }'
}
