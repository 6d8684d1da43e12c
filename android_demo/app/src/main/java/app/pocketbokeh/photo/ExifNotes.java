package app.pocketbokeh.photo;

import app.pocketbokeh.picture.Orientation;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a camera noted in a photo, as EXIF has it: a TIFF without a picture, the same whatever
 * format the photo has. Android's own reader knows JPEG on every version, PNG and WebP on none
 * before 11.
 */
public final class ExifNotes {
    static final int MOST_BYTES = 0xffff - 2 - 6; // what a JPEG's segment can hold

    private static final byte[] MARK = {'E', 'x', 'i', 'f', 0, 0};
    private static final int SEGMENT = 0xe1;
    private static final int ENTRY_BYTES = 12;
    private static final int ORIENTATION = 0x0112;
    private static final int UNKNOWN = -1;

    private final byte[] tiff;

    private ExifNotes(byte[] tiff) {
        this.tiff = tiff;
    }

    /**
     * Reads a photo's notes, less its thumbnail, which shows the photo as it was. Where there are
     * none, or none that can be read, they are empty.
     *
     * @throws IOException if the file cannot be read
     */
    public static ExifNotes read(File photo) throws IOException {
        byte[] tiff;
        try (RandomAccessFile file = new RandomAccessFile(photo, "r")) {
            tiff = NotesInFile.find(file);
        } catch (EOFException error) {
            tiff = new byte[0];
        }
        ExifNotes notes = new ExifNotes(tiff);
        notes.forgetThumbnail();
        return notes;
    }

    /** As TIFF; empty where there are none. */
    public byte[] tiff() {
        return tiff.clone();
    }

    /** How the photo lies in its file. */
    public Orientation orientation() {
        int value = orientationValue();
        return value == UNKNOWN ? Orientation.UPRIGHT : new Orientation(read(value));
    }

    /** The same of the photo turned upright. */
    public ExifNotes upright() {
        ExifNotes turned = new ExifNotes(tiff.clone());
        int value = turned.orientationValue();
        if (value != UNKNOWN) {
            turned.buffer().putShort(value, (short) Orientation.UPRIGHT.exif());
        }
        return turned;
    }

    /** A JPEG's segment, marker and length included, to follow its first two bytes; or nothing. */
    byte[] segment() {
        ByteArrayOutputStream segment = new ByteArrayOutputStream();
        if (tiff.length > 0) {
            int length = 2 + MARK.length + tiff.length;
            segment.write(0xff);
            segment.write(SEGMENT);
            segment.write(length >> 8);
            segment.write(length);
            segment.write(MARK, 0, MARK.length);
            segment.write(tiff, 0, tiff.length);
        }
        return segment.toByteArray();
    }

    private ByteBuffer buffer() {
        ByteBuffer buffer = ByteBuffer.wrap(tiff);
        return buffer.order(tiff[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    }

    private int read(int at) {
        return buffer().getShort(at) & 0xffff;
    }

    /** Where the first directory begins, which is the photo's. */
    private int directory() {
        if (tiff.length < 8) {
            return UNKNOWN;
        }
        long at = buffer().getInt(4) & 0xffffffffL;
        return at + 2 > tiff.length ? UNKNOWN : (int) at;
    }

    private int orientationValue() {
        int directory = directory();
        if (directory == UNKNOWN) {
            return UNKNOWN;
        }
        int end = Math.min(tiff.length, directory + 2 + ENTRY_BYTES * read(directory));
        for (int entry = directory + 2; entry + ENTRY_BYTES <= end; entry += ENTRY_BYTES) {
            if (read(entry) == ORIENTATION) {
                return entry + 8; // after tag, type and count
            }
        }
        return UNKNOWN;
    }

    /** The second directory is the thumbnail's; the pointer to it becomes none. */
    private void forgetThumbnail() {
        int directory = directory();
        if (directory == UNKNOWN) {
            return;
        }
        int next = directory + 2 + ENTRY_BYTES * read(directory);
        if (next + 4 <= tiff.length) {
            buffer().putInt(next, 0);
        }
    }
}
