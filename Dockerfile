# One image for the API, the workers and set-up, which differ in their command alone. Kafka and ClickHouse are outside:
# neither the engine nor a Java runtime is in it, so `muster up` is not for here.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/muster
COPY requirements.container.lock ./
RUN /opt/muster/bin/pip install --require-hashes --requirement requirements.container.lock
COPY pyproject.toml README.md ./
COPY settings settings
COPY fleet fleet
COPY storage storage
COPY streams streams
COPY api api
COPY local local
COPY cli cli
# The build backend is fetched here and stays in this stage.
RUN /opt/muster/bin/pip install --no-deps .

FROM python:3.12-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin muster \
    && install --directory --owner=muster --group=muster --mode=0700 /var/lib/muster
COPY --from=build /opt/muster /opt/muster
ENV PATH=/opt/muster/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MUSTER_DATA=/var/lib/muster
WORKDIR /var/lib/muster
VOLUME /var/lib/muster
USER 10001:10001
# Management plane, devices' calls, the workers' metrics.
EXPOSE 8080 8443 8081 8082
CMD ["python", "-P", "-m", "api"]
