FROM python:3.11-slim
WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY ontology ontology
COPY backend backend
COPY plugins plugins
RUN pip install --no-cache-dir '.[timm,postgresql]' \
    && useradd --create-home --uid 1001 espalier \
    && mkdir /data && chown espalier /data
USER espalier
VOLUME /data
EXPOSE 9090
CMD ["espalier", "serve"]
