# carepolicy as a command: docker run --rm -v "$PWD:/work" carepolicy check
FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN python -m pip wheel --no-cache-dir --wheel-dir /wheels ".[render,postgres,prove]"

FROM python:3.12-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    python -m pip install --no-cache-dir --no-index --find-links /wheels "carepolicy[render,postgres,prove]" \
    && useradd --create-home care
USER care
WORKDIR /work
ENTRYPOINT ["carepolicy"]
CMD ["--help"]
