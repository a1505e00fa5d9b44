# Bonsai on the CPU, in one container:
#
#   docker build -t bonsai .
#   docker run --init --rm -it -v bonsai-home:/home/bonsai/home --network host bonsai
#
# `--network host` (Linux): server and dashboard listen on 127.0.0.1, of the container unless it shares the host's.
# Without it, and for other machines, add a user and publish the dashboard alone: docs/install.md.
# Not built yet: its authors had no Docker engine at hand, and ran its commands outside a container.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE prefect.yaml ./
COPY bonsai bonsai
COPY storage storage
COPY flows flows
RUN python -m venv /opt/bonsai \
 && /opt/bonsai/bin/pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu \
    -c constraints.txt .

FROM python:3.12-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 bonsai \
 && install -d -o bonsai -g bonsai -m 700 /home/bonsai/home
COPY --from=build /opt/bonsai /opt/bonsai
ENV PATH=/opt/bonsai/bin:$PATH BONSAI_HOME=/home/bonsai/home LANG=C.UTF-8
USER bonsai
WORKDIR /home/bonsai
VOLUME /home/bonsai/home
# A home is made at the first start; a volume that has one is left as it is.
CMD ["sh", "-c", "bonsai init && exec bonsai up"]
