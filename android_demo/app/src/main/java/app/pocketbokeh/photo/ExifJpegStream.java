package app.pocketbokeh.photo;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Inserts EXIF after the first two bytes of a JPEG while it is written. Android's encoder hides
 * exceptions of its stream; this class keeps the first one.
 */
final class ExifJpegStream extends FilterOutputStream {
    private static final int START = 2;

    private final byte[] segment;
    private int written;
    private IOException failure;

    /**
     * Wraps a stream.
     *
     * @param segment as `Exif.segment` gives it
     */
    ExifJpegStream(OutputStream out, byte[] segment) {
        super(out);
        this.segment = segment;
    }

    /**
     * Checks that everything was written.
     *
     * @throws IOException the first exception of the stream
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
                out.write(segment);
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
