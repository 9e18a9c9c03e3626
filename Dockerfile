# One image for API and worker: `npm run api` or `npm run worker` (the default runs both). `docker build` needs no argument.
# The digest is that of an index of all platforms; update it together with the tag.
ARG NODE=node:24-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d

FROM ${NODE} AS build
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
# .dockerignore lists what there is to copy.
COPY . .
# No start builds workflow bundles or programs.
RUN npm run --silent bundle

FROM ${NODE}
# pg_dump has to be of the database's major version or a newer one.
RUN apt-get update \
  && apt-get install -y --no-install-recommends postgresql-client-15 ca-certificates \
  && rm -rf /var/lib/apt/lists/* /opt/yarn-*
WORKDIR /app
ENV NODE_ENV=production
# glibc gives each of a worker's threads a separate arena, from which it gives little back.
ENV MALLOC_ARENA_MAX=2
# It belongs to root: the process cannot change its own program.
COPY --from=build /app /app
# Backups go to .data/backups unless BACKUP_FOLDER says otherwise: mount a volume there.
RUN mkdir -p .data/backups /settings /metrics-key && chown -R node:node .data /settings /metrics-key
# docker build --build-arg WORKER_BUILD_ID=$(git rev-parse --short=12 HEAD): makes versioned workers, which get work only
# by npm run deploy. Without it workers are unversioned. See docs/changing-workflows.md.
ARG WORKER_BUILD_ID=
ENV WORKER_BUILD_ID=$WORKER_BUILD_ID
USER node
EXPOSE 8080 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["node", "cli/healthy.mjs"]
CMD ["node", "cli/run.mjs", "cli/start-production.ts"]
