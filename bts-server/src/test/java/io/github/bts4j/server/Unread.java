package io.github.bts4j.server;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A request whose answer nobody reads. A stream of some megabytes, far more than the buffers on its way hold (4 KiB here, 128 KiB of the server's), stays in
 * progress until this is closed, however fast the machine is.
 */
final class Unread implements AutoCloseable {
    private static final int RECEIVED = 4096;
    private static final int READ = 1 << 16;

    private final Socket socket = new Socket();

    Unread(ModelServer server, String path, String body) throws IOException {
        socket.setReceiveBufferSize(RECEIVED);
        socket.connect(new InetSocketAddress(server.uri().getHost(), server.uri().getPort()));
        String request = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
        socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Reads after all, until the end of the connection or of the answer. */
    String readTo(String end) throws IOException {
        socket.setReceiveBufferSize(READ); // a window of 4 KiB is slow to read through
        byte[] wanted = end.getBytes(StandardCharsets.ISO_8859_1);
        byte[] last = new byte[wanted.length];
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        InputStream in = new BufferedInputStream(socket.getInputStream());
        for (int each = in.read(); each >= 0 && !Arrays.equals(last, wanted); each = in.read()) {
            answer.write(each);
            System.arraycopy(last, 1, last, 0, last.length - 1);
            last[last.length - 1] = (byte) each;
        }
        return answer.toString(StandardCharsets.ISO_8859_1);
    }

    /** Goes away. */
    @Override
    public void close() throws IOException {
        socket.close();
    }
}
