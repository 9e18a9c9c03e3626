# One image for API and worker: `npm run api` or `npm run worker` (the default runs both).
FROM node:24-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
RUN npm install --omit=dev --no-save --no-audit --no-fund
# What there is to copy stands in .dockerignore.
COPY . .
# A worker builds no workflow bundle at its start.
RUN npm run --silent bundle
# Backups go to .data/backups unless BACKUP_FOLDER says otherwise: mount a volume there.
RUN mkdir -p .data/backups && chown -R node:node .data
# docker build --build-arg WORKER_BUILD_ID=$(git rev-parse --short=12 HEAD): makes versioned workers, which get work only
# by npm run deploy. Without it workers are unversioned. See docs/changing-workflows.md.
ARG WORKER_BUILD_ID=
ENV WORKER_BUILD_ID=$WORKER_BUILD_ID
USER node
EXPOSE 8080 9464
CMD ["node", "--import", "tsx", "cli/start-production.ts"]
