package app.pocketbokeh.photo;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Puts a camera's notes after the first two bytes of a JPEG as it is written. Android's encoder
 * hides what its stream threw; here it is kept.
 */
final class NotedJpegStream extends FilterOutputStream {
    private static final int START = 2;

    private final byte[] notes;
    private int written;
    private IOException failure;

    NotedJpegStream(OutputStream out, byte[] notes) {
        super(out);
        this.notes = notes;
    }

    /**
     * Says what went wrong.
     *
     * @throws IOException the first one that was thrown
     */
    void check() throws IOException {
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            int before = written < START ? Math.min(START - written, length) : 0;
            out.write(bytes, offset, before);
            if (before > 0 && written + before == START) {
                out.write(notes);
            }
            out.write(bytes, offset + before, length - before);
            written = Math.min(START, written + length);
        } catch (IOException error) {
            failure = failure == null ? error : failure;
            throw error;
        }
    }

    @Override
    public void flush() throws IOException {
        try {
            super.flush();
        } catch (IOException error) {
            failure = failure == null ? error : failure;
            throw error;
        }
    }
}
