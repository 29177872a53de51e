package io.github.bts4j.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * A request whose answer nobody reads. A stream of some megabytes, far more than the buffers on its way hold (4 KiB here, 128 KiB of the server's), stays in
 * progress until this is closed, however fast the machine is.
 */
final class Unread implements AutoCloseable {
    private static final int RECEIVED = 4096;

    private final Socket socket = new Socket();

    Unread(ModelServer server, String path, String body) throws IOException {
        socket.setReceiveBufferSize(RECEIVED);
        socket.connect(new InetSocketAddress(server.uri().getHost(), server.uri().getPort()));
        String request = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
        socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Goes away. */
    @Override
    public void close() throws IOException {
        socket.close();
    }
}
