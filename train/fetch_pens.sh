#!/usr/bin/env bash
# Brings the handwriting-like typefaces that Debian lacks (WEB_PENS of train/fonts.py) into .deps/fonts. They come from npm, whose
# @fontsource packages carry them with their licences (SIL Open Font License or Apache-2.0). Only training draws with them. Needs npm.
set -euo pipefail
cd "$(dirname "$0")/.."
fonts=$PWD/.deps/fonts
mkdir -p "$fonts"
cd "$(mktemp -d)"
PYTHONPATH=$OLDPWD/train python3 -c 'import fonts; print(*fonts.WEB_PENS, sep="\n")' | while read -r pen; do
  [ ! -e "$fonts/$pen.woff" ] || continue
  package=$(npm pack --silent "@fontsource/$pen")
  # The regular weight; one family begins at light.
  file=$(tar -tzf "$package" | grep -E -- '-latin-(400|300)-normal\.woff$' | sort | tail -n 1)
  tar -xzOf "$package" "$file" >"$fonts/$pen.part"
  mv "$fonts/$pen.part" "$fonts/$pen.woff"
  echo "$pen"
done
