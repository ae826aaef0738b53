# The image of a worker: `docker build -t resweep .`; a project is put into /project by an image of its own (docs/clusters.md).
FROM node:20-bookworm-slim AS build
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /resweep
COPY . .
# What reaches servers and S3 is optional elsewhere, and needed here.
RUN npm ci \
  && npm run build \
  && npm prune --omit=dev \
  && npm install --no-save pg@8 mysql2@3 @aws-sdk/client-s3@3

FROM node:20-bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates python3 \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /resweep /resweep
RUN ln -s /resweep/dist/cli/main.js /usr/local/bin/resweep \
  && mkdir -p /project/.resweep /project/outputs \
  && chown -R node:node /project
WORKDIR /project
USER 1000:1000
ENV NODE_ENV=production
CMD ["resweep", "worker"]
