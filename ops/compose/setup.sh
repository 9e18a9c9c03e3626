#!/bin/sh
# Prepares database and Temporal, saves the first operator, and makes the key by which Prometheus reads the API's metrics.
set -eu
node --env-file=/settings/ama-esim.env --import tsx cli/setup.ts \
  --operator-name "$OPERATOR_NAME" --operator-email "$OPERATOR_EMAIL"
if [ ! -s /metrics-key/key ]; then
  node --env-file=/settings/ama-esim.env --import tsx cli/keys.ts create service --label prometheus > /tmp/metrics-key
  mv /tmp/metrics-key /metrics-key/key
fi
