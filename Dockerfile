# bts4j's command line on CPU. Build the archive first, then the image:
#   ./mvnw -Pdist -DskipTests package && docker build -t bts4j .
#   docker run --rm -p 8080:8080 -v "$PWD/models:/models:ro" bts4j serve /models/stitched --host 0.0.0.0
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 zlib1g && rm -rf /var/lib/apt/lists/* && useradd --create-home bts
ADD bts-cli/target/bts-0.1.0-linux-x86_64.tar.gz /opt/
USER bts
WORKDIR /home/bts
ENTRYPOINT ["/opt/bts-0.1.0/bin/bts"]
CMD ["--help"]
