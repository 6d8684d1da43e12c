package app.pocketbokeh.photo;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What a camera noted in a JPEG file: the segment as it is, less its thumbnail. */
final class ExifNotes {
    private static final int START_OF_SCAN = 0xda;
    private static final int NOTES = 0xe1;
    private static final byte[] MARK = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);
    private static final int ENTRY_BYTES = 12;

    private ExifNotes() {}

    /** The segment with its marker and length, to follow a JPEG's first two bytes; or nothing. */
    static byte[] read(File jpeg) throws IOException {
        try (DataInputStream in =
                new DataInputStream(new BufferedInputStream(new FileInputStream(jpeg)))) {
            in.readUnsignedShort();
            while (true) {
                int marker = in.readUnsignedShort();
                if (marker >> 8 != 0xff || (marker & 0xff) == START_OF_SCAN) {
                    return new byte[0];
                }
                byte[] content = new byte[in.readUnsignedShort() - 2];
                in.readFully(content);
                if ((marker & 0xff) == NOTES && startsWithMark(content)) {
                    return segment(withoutThumbnail(content));
                }
            }
        } catch (EOFException | NegativeArraySizeException error) {
            return new byte[0];
        }
    }

    private static boolean startsWithMark(byte[] content) {
        return Arrays.equals(Arrays.copyOf(content, MARK.length), MARK);
    }

    /** The thumbnail shows the photo as it was; the pointer to it becomes none. */
    private static byte[] withoutThumbnail(byte[] content) {
        ByteBuffer tiff = ByteBuffer.wrap(content, MARK.length, content.length - MARK.length);
        tiff = tiff.slice();
        if (tiff.remaining() < 8) {
            return content;
        }
        tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        long first = tiff.getInt(4) & 0xffffffffL;
        if (first + 2 > tiff.capacity()) {
            return content;
        }
        long next = first + 2 + (long) ENTRY_BYTES * (tiff.getShort((int) first) & 0xffff);
        if (next + 4 <= tiff.capacity()) {
            tiff.putInt((int) next, 0);
        }
        return content;
    }

    private static byte[] segment(byte[] content) {
        ByteArrayOutputStream segment = new ByteArrayOutputStream();
        segment.write(0xff);
        segment.write(NOTES);
        segment.write(content.length + 2 >> 8);
        segment.write(content.length + 2);
        segment.write(content, 0, content.length);
        return segment.toByteArray();
    }
}
