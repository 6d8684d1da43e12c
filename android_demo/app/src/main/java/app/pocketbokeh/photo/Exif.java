package app.pocketbokeh.photo;

import app.pocketbokeh.picture.Orientation;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A photo's EXIF: orientation, date, camera, place and the like. It has the format of a TIFF file
 * without a picture, whatever the format of the photo. The thumbnail is left out, because it shows
 * the photo without bokeh.
 */
public final class Exif {
    /** What a JPEG's segment can hold beside its length and mark. */
    static final int MOST_BYTES = 0xffff - 2 - 6;

    private static final byte[] MARK = {'E', 'x', 'i', 'f', 0, 0};
    private static final int SEGMENT = 0xe1;
    private static final int HEADER_BYTES = 8;
    private static final int ENTRY_BYTES = 12;
    private static final int ORIENTATION = 0x0112;
    private static final int SHORT = 3;
    private static final int LONG = 4;
    private static final int UNKNOWN = -1;

    /** A TIFF of an empty directory. */
    private static final byte[] EMPTY_TIFF = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0};

    private final byte[] tiff;

    /** Takes a TIFF; if it is not one, the EXIF is empty. */
    Exif(byte[] tiff) {
        this.tiff = isTiff(tiff) ? tiff : new byte[0];
        dropThumbnail();
    }

    private static boolean isTiff(byte[] bytes) {
        if (bytes.length < HEADER_BYTES) {
            return false;
        }
        boolean isBig = bytes[0] == 'M' && bytes[1] == 'M' && bytes[2] == 0 && bytes[3] == 42;
        return isBig || bytes[0] == 'I' && bytes[1] == 'I' && bytes[2] == 42 && bytes[3] == 0;
    }

    /**
     * Reads a photo's EXIF. It is empty if the photo has none or it is damaged.
     *
     * @throws IOException if the file cannot be read
     */
    public static Exif read(File photo) throws IOException {
        return ExifReader.read(photo);
    }

    /** As TIFF; empty if there is none. */
    public byte[] tiff() {
        return tiff.clone();
    }

    /** The orientation of the stored pixels; upright if EXIF does not say or makes no sense. */
    public Orientation orientation() {
        int entry = orientationEntry();
        return switch (entry == UNKNOWN ? UNKNOWN : read(entry + 2)) {
            case SHORT -> new Orientation(read(entry + 8));
            case LONG -> new Orientation(buffer().getInt(entry + 8));
            default -> Orientation.UPRIGHT;
        };
    }

    /** The same EXIF with another orientation. */
    public Exif withOrientation(Orientation orientation) {
        if (orientation.equals(orientation())) {
            return this;
        }
        Exif changed = new Exif(tiff.clone());
        if (orientationEntry() == UNKNOWN) {
            changed = withOrientationEntry();
        }
        int entry = changed.orientationEntry();
        ByteBuffer buffer = changed.buffer();
        buffer.putShort(entry + 2, (short) SHORT);
        buffer.putInt(entry + 4, 1);
        buffer.putShort(entry + 8, (short) orientation.exif());
        buffer.putShort(entry + 10, (short) 0);
        return changed;
    }

    /** Adds a directory that has an entry for the orientation, and points the header to it. */
    private Exif withOrientationEntry() {
        int directory = directory();
        int entries = directory == UNKNOWN ? 0 : read(directory);
        int bytes = 2 + ENTRY_BYTES * (entries + 1) + 4;
        int end = directory + 2 + ENTRY_BYTES * entries;
        boolean fits = directory != UNKNOWN && end <= tiff.length;
        if (!fits || tiff.length + bytes + 1 > MOST_BYTES) {
            return new Exif(EMPTY_TIFF.clone()).withOrientationEntry();
        }
        int start = tiff.length + tiff.length % 2;
        int after = directory + 2; // Entries are sorted by tag.
        while (after < end && read(after) < ORIENTATION) {
            after += ENTRY_BYTES;
        }
        int added = start + after - directory;
        byte[] grown = Arrays.copyOf(tiff, start + bytes);
        System.arraycopy(tiff, directory + 2, grown, start + 2, after - directory - 2);
        System.arraycopy(tiff, after, grown, added + ENTRY_BYTES, end - after);
        ByteBuffer buffer = ByteBuffer.wrap(grown).order(buffer().order());
        buffer.putInt(4, start);
        buffer.putShort(start, (short) (entries + 1));
        buffer.putShort(added, (short) ORIENTATION);
        return new Exif(grown);
    }

    /** A JPEG segment with marker and length, to follow the first two bytes; or nothing. */
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

    /** Where the first directory begins, which describes the photo. */
    private int directory() {
        if (tiff.length < HEADER_BYTES) {
            return UNKNOWN;
        }
        long at = buffer().getInt(4) & 0xffffffffL;
        return at + 2 > tiff.length ? UNKNOWN : (int) at;
    }

    private int orientationEntry() {
        int directory = directory();
        if (directory == UNKNOWN) {
            return UNKNOWN;
        }
        int end = Math.min(tiff.length, directory + 2 + ENTRY_BYTES * read(directory));
        for (int entry = directory + 2; entry + ENTRY_BYTES <= end; entry += ENTRY_BYTES) {
            if (read(entry) == ORIENTATION) {
                return entry;
            }
        }
        return UNKNOWN;
    }

    /** The second directory describes the thumbnail; removes the pointer to it. */
    private void dropThumbnail() {
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
