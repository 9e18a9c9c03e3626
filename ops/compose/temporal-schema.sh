#!/bin/sh
# Makes Temporal's databases and brings their schemas to the version of this image. It can be repeated.
set -eu
for part in temporal visibility; do
  database=$([ "$part" = temporal ] && echo temporal || echo temporal_visibility)
  temporal-sql-tool --database "$database" create-database
  temporal-sql-tool --database "$database" setup-schema -v 0.0 || true # The version tables are there already.
  temporal-sql-tool --database "$database" update-schema -d "$SCHEMA_FOLDER/$part/versioned"
done
