#!/bin/sh
# Builds the programs of Temporal's images from Go modules, for a machine without a container engine:
# ops/temporal/build.sh <folder>. The versions are those of the embedded server, whose compiled packages are used again.
set -eu
folder=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sources=$(cd "$(dirname "$0")/../../dev/temporal/server" && pwd)
cp "$sources/go.mod" "$sources/go.sum" "$work"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$work"
build() { CGO_ENABLED=0 GOFLAGS='-mod=mod -buildvcs=false' go build -trimpath '-ldflags=-s -w' -o "$folder/$1" "$2"; }
build temporal-server go.temporal.io/server/cmd/server
build temporal-sql-tool go.temporal.io/server/cmd/tools/sql
build ui-server github.com/temporalio/ui-server/v2/cmd/server
