# The server without a sound card: it keeps time by itself, and browsers listen and look.
#
#   docker build -t antiphon .
#   docker run -p 8080:8080 -e ANTIPHON_TOKEN=secret -v antiphon:/var/lib/antiphon antiphon

FROM rust:1.95-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm libasound2-dev pkg-config
WORKDIR /src
COPY . .
RUN cargo xtask dist && tar -xzf target/dist/antiphon-*-linux-gnu.tar.gz -C / && mv /antiphon-* /antiphon

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libasound2t64 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/antiphon antiphon
COPY --from=build /antiphon/antiphon /usr/local/bin/antiphon
USER antiphon
ENV ANTIPHON_DB=/var/lib/antiphon/antiphon.db
VOLUME /var/lib/antiphon
EXPOSE 8080
# Beyond this machine only with ANTIPHON_TOKEN: without it the server refuses to start, and says so.
ENTRYPOINT ["antiphon"]
CMD ["serve", "--null-device", "--bind", "0.0.0.0:8080", "--log-format", "json"]
