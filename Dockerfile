# The viewer, the service, and an image with nothing else. Not built in CI; kept in step with the Makefile by review.
FROM node:22-slim AS viewer
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web ./
COPY schema.graphql /src/schema.graphql
RUN npm run build

FROM rust:1.95-slim-bookworm AS service
# aws-lc and SQLite are built from C.
RUN apt-get update && apt-get install -y --no-install-recommends build-essential cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
COPY --from=viewer /src/web/dist web/dist
RUN cargo build --release --locked

FROM debian:bookworm-slim
# The certificates are for issuers whose keys are fetched by HTTPS (`jwks_url`): without any, the service does not start.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data ledgerline && install -d -o ledgerline /data
COPY --from=service /src/target/release/ledgerline /usr/local/bin/ledgerline
USER ledgerline
WORKDIR /data
VOLUME /data
ENV LEDGERLINE_LISTEN=0.0.0.0:8080 LEDGERLINE_DATABASE_URL=sqlite:///data/ledgerline.db LEDGERLINE_LOG_FORMAT=json
EXPOSE 8080
ENTRYPOINT ["ledgerline"]
CMD ["serve"]
