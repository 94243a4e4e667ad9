# Three images from one file, for example `docker build --target proxy .`: operator, proxy and cli.
# BASE is any image with Python 3.11 or newer, its venv module included.
ARG BASE=python:3.13-slim

# Dependencies come before sources in every chain, so that a change of ours rebuilds only what is ours.
FROM ${BASE} AS wheel
COPY requirements/build.lock /locks/
RUN python3 -m venv /opt/build \
 && /opt/build/bin/python -m pip install --no-cache-dir --quiet --require-hashes --requirement /locks/build.lock
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY crds/src crds/src
COPY operator/src operator/src
COPY proxy/src proxy/src
COPY cli/src cli/src
RUN /opt/build/bin/python -m pip wheel --no-cache-dir --quiet --no-deps --no-build-isolation --wheel-dir /wheels .

FROM ${BASE} AS build-proxy
COPY requirements/proxy.lock /locks/
RUN python3 -m venv /opt/understudy \
 && /opt/understudy/bin/python -m pip install --no-cache-dir --quiet --require-hashes --requirement /locks/proxy.lock
COPY --from=wheel /wheels /wheels
RUN /opt/understudy/bin/python -m pip install --no-cache-dir --quiet --no-deps /wheels/*.whl \
 && rm -rf /opt/understudy/lib/python3*/site-packages/understudy_operator /opt/understudy/lib/python3*/site-packages/understudy \
 && /opt/understudy/bin/python -m pip uninstall --quiet --yes pip

FROM ${BASE} AS build-operator
COPY requirements/operator.lock /locks/
RUN python3 -m venv /opt/understudy \
 && /opt/understudy/bin/python -m pip install --no-cache-dir --quiet --require-hashes --requirement /locks/operator.lock
COPY --from=wheel /wheels /wheels
RUN /opt/understudy/bin/python -m pip install --no-cache-dir --quiet --no-deps /wheels/*.whl \
 && rm -rf /opt/understudy/lib/python3*/site-packages/understudy_proxy /opt/understudy/lib/python3*/site-packages/understudy \
 && /opt/understudy/bin/python -m pip uninstall --quiet --yes pip

FROM ${BASE} AS build-cli
COPY requirements/cli.lock /locks/
RUN python3 -m venv /opt/understudy \
 && /opt/understudy/bin/python -m pip install --no-cache-dir --quiet --require-hashes --requirement /locks/cli.lock
COPY --from=wheel /wheels /wheels
RUN /opt/understudy/bin/python -m pip install --no-cache-dir --quiet --no-deps /wheels/*.whl \
 && /opt/understudy/bin/python -m pip uninstall --quiet --yes pip

# The data plane. No kopf, no Kubernetes client, no command line.
FROM ${BASE} AS proxy
COPY --from=build-proxy /opt/understudy /opt/understudy
ENV PATH=/opt/understudy/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["python3", "-m", "understudy_proxy"]

# The control plane.
FROM ${BASE} AS operator
COPY --from=build-operator /opt/understudy /opt/understudy
ENV PATH=/opt/understudy/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["python3", "-m", "understudy_operator"]

# The command line: `understudy lint` in a pipeline, `understudy mock` beside an app under test.
FROM ${BASE} AS cli
COPY --from=build-cli /opt/understudy /opt/understudy
ENV PATH=/opt/understudy/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
ENTRYPOINT ["understudy"]
