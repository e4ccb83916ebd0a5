# Two images from one build:
#   fleet     the three workers and mintctl: what one deploys. One image for all four, for a worker each would have to carry
#             mintctl too, for its health check.
#   devstack  the same layers and one more: the local stack's chain and pin servers (docker-compose.yml).
# Both hold programs and no secret; they run as user 10001.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,id=mintfleet-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=mintfleet-target,target=/src/target,sharing=locked \
    cargo build --release --locked -p ipfs-uploader -p mint-submitter -p verifier -p mintctl \
 && cd target/release \
 && install -s -D -t /out/fleet ipfs-uploader mint-submitter verifier mintctl

# In the dev profile, which optimises what is hot (Cargo.toml says what): a virtual machine's hundreds of crates optimised
# throughout would take longer than all the rest, and mint no faster.
FROM build AS build-devstack
RUN --mount=type=cache,id=mintfleet-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=mintfleet-target,target=/src/target,sharing=locked \
    CARGO_PROFILE_DEV_DEBUG=none CARGO_INCREMENTAL=0 cargo build --locked -p devstack \
 && install -s -D -t /out/devstack target/debug/devstack \
 && /out/devstack/devstack fetch --cache /out/kit

FROM debian:bookworm-slim AS fleet
# Certificates are for brokers that speak TLS; the data directories are where volumes are mounted, which take their owner over.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin mintfleet \
 && cd /var/lib && install -d -o mintfleet -g mintfleet \
    mintfleet mintfleet/mint-keys mintfleet/pin-keys mintfleet/assets mintfleet/pins
COPY --from=build /out/fleet/ /usr/local/bin/
USER 10001:10001

FROM fleet AS devstack
COPY --from=build-devstack /out/devstack/ /usr/local/bin/
COPY --from=build-devstack /out/kit/ /usr/share/mintfleet/
ENV MINTFLEET_CACHE=/usr/share/mintfleet
