# Clients of other languages that are newer in the next Debian than in bookworm,
# and frameworks over them. The tests can put another release in place of trixie.
FROM debian:bookworm-slim
ARG SUITE=trixie
RUN echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io \
 && mirror=$(sed -nE 's/^(deb|URIs:) +([^ ]+).*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1) \
 && rm -f /etc/apt/sources.list.d/* \
 && echo "deb $mirror $SUITE main" >/etc/apt/sources.list \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      libsasl2-modules \
      python3-binary-memcached python3-pymemcache python3-memcache python3-django \
      ruby ruby-dalli ruby-activesupport \
      php-cli php-memcached php-memcache php-symfony-cache php-illuminate-cache \
      libcache-memcached-perl libcache-memcached-fast-perl \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /drivers
COPY drivers ./
ENV LANG=C.UTF-8
# What the tests run is started beside this.
ENTRYPOINT ["sleep", "infinity"]
