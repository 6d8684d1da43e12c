package app.pocketbokeh.photo;

import app.pocketbokeh.picture.Orientation;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads EXIF and the orientation from HEIC and AVIF files (HEIF, ISO/IEC 23008-12). Such a file is
 * made of nested boxes. The picture and its EXIF are items: `iinf` lists them, `iloc` says where
 * they are, `pitm` names the main picture, and `iprp` holds the properties of each item.
 */
final class HeifFile {
    private static final int HEADER = 8;
    private static final int LONG_HEADER = 16;
    private static final int VERSION_AND_FLAGS = 4;
    private static final int IN_FILE = 0;
    private static final long NONE = -1;

    /** More boxes than a photo has; a damaged file may claim millions. */
    private static final int MOST_BOXES = 10_000;

    /** EXIF orientation by quarter turns clockwise. */
    private static final int[] TURNED = {1, 6, 3, 8};

    /** EXIF orientation by quarter turns clockwise, then left and right exchanged. */
    private static final int[] TURNED_AND_MIRRORED = {2, 5, 4, 7};

    private final RandomAccessFile file;
    private final List<Box> meta;

    /**
     * Reads the list of boxes.
     *
     * @throws IOException if the file cannot be read
     */
    HeifFile(RandomAccessFile file) throws IOException {
        this.file = file;
        Box box = first("meta", boxes(0, file.length()));
        meta = box == null ? List.of() : boxes(box.start + VERSION_AND_FLAGS, box.end);
    }

    /** A box's content, from `start` to before `end` in the file. */
    private record Box(String kind, long start, long end) {}

    /**
     * The orientation of the main picture: its rotation `irot` and mirroring `imir`. The EXIF of
     * these files may state an orientation too, but it is only informative.
     *
     * @throws EOFException if the file ends too early
     */
    Orientation orientation() throws IOException {
        int turns = 0;
        boolean mirrored = false;
        for (Box property : propertiesOfMainPicture()) {
            file.seek(property.start);
            if (property.kind.equals("irot")) {
                int left = file.readUnsignedByte() & 3;
                turns += mirrored ? left : -left;
            } else if (property.kind.equals("imir")) {
                boolean swapsTopAndBottom = (file.readUnsignedByte() & 1) == 0;
                mirrored = !mirrored;
                turns += swapsTopAndBottom ? 2 : 0;
            }
        }
        return new Orientation((mirrored ? TURNED_AND_MIRRORED : TURNED)[turns & 3]);
    }

    /** In the order in which they apply. */
    private List<Box> propertiesOfMainPicture() throws IOException {
        Box main = first("pitm", meta);
        Box properties = first("iprp", meta);
        if (main == null || properties == null) {
            return List.of();
        }
        file.seek(main.start);
        long item = number(version() == 0 ? 2 : 4);
        List<Box> parts = boxes(properties.start, properties.end);
        Box container = first("ipco", parts);
        List<Box> every = container == null ? List.of() : boxes(container.start, container.end);
        List<Box> found = new ArrayList<>();
        for (Box part : parts) {
            if (part.kind.equals("ipma")) {
                for (int index : indicesOf(item, part)) {
                    if (index >= 1 && index <= every.size()) {
                        found.add(every.get(index - 1));
                    }
                }
            }
        }
        return found;
    }

    /** The properties of an item, counted from 1, by the association box `ipma`. */
    private List<Integer> indicesOf(long wanted, Box associations) throws IOException {
        List<Integer> indices = new ArrayList<>();
        file.seek(associations.start);
        int versionAndFlags = file.readInt();
        boolean isWide = (versionAndFlags & 1) == 1;
        long count = number(4);
        for (long at = 0; at < count && file.getFilePointer() < associations.end; at++) {
            long item = number(versionAndFlags >>> 24 == 0 ? 2 : 4);
            int properties = file.readUnsignedByte();
            for (int property = 0; property < properties; property++) {
                // The highest bit says that readers must understand the property.
                int index = isWide ? file.readUnsignedShort() & 0x7fff : file.readByte() & 0x7f;
                if (item == wanted) {
                    indices.add(index);
                }
            }
        }
        return indices;
    }

    /**
     * The EXIF as TIFF; empty if there is none.
     *
     * @throws EOFException if the file ends too early
     */
    byte[] exif() throws IOException {
        Box items = first("iinf", meta);
        Box locations = first("iloc", meta);
        if (items == null || locations == null) {
            return new byte[0];
        }
        long item = exifItem(items);
        return item == NONE ? new byte[0] : content(item, locations);
    }

    /** The number of the item that holds EXIF. */
    private long exifItem(Box items) throws IOException {
        file.seek(items.start);
        int countBytes = version() == 0 ? 2 : 4;
        for (Box entry : boxes(items.start + VERSION_AND_FLAGS + countBytes, items.end)) {
            file.seek(entry.start);
            long item = number(version() == 2 ? 2 : 4);
            file.readUnsignedShort(); // how it is protected
            if (ExifReader.name(file).equals("Exif")) {
                return item;
            }
        }
        return NONE;
    }

    /** The content of an item that is stored in one piece in the file itself. */
    private byte[] content(long wanted, Box locations) throws IOException {
        file.seek(locations.start);
        int version = version();
        int sizes = file.readUnsignedShort();
        int offsetBytes = sizes >> 12;
        int lengthBytes = sizes >> 8 & 15;
        int baseBytes = sizes >> 4 & 15;
        int indexBytes = version == 0 ? 0 : sizes & 15;
        long count = number(version < 2 ? 2 : 4);
        for (long index = 0; index < count && file.getFilePointer() < locations.end; index++) {
            long item = number(version < 2 ? 2 : 4);
            int method = version == 0 ? IN_FILE : file.readUnsignedShort() & 15;
            file.readUnsignedShort(); // 0: this file
            long base = number(baseBytes);
            int pieces = file.readUnsignedShort();
            if (item == wanted) {
                number(indexBytes);
                long offset = base + number(offsetBytes);
                long length = number(lengthBytes);
                return method == IN_FILE && pieces == 1 ? tiff(offset, length) : new byte[0];
            }
            long skipped = (long) pieces * (indexBytes + offsetBytes + lengthBytes);
            file.seek(file.getFilePointer() + skipped);
        }
        return new byte[0];
    }

    /** Skips what precedes the TIFF in an EXIF item; the item's first number is its length. */
    private byte[] tiff(long offset, long length) throws IOException {
        if (offset < 0 || offset > file.length()) {
            throw new EOFException();
        }
        file.seek(offset);
        long before = number(4);
        file.seek(offset + 4 + before);
        return ExifReader.bytes(file, length - 4 - before);
    }

    /** The boxes from one position to another, as far as their lengths make sense. */
    private List<Box> boxes(long start, long end) throws IOException {
        List<Box> found = new ArrayList<>();
        for (long at = start; at + HEADER <= end && found.size() < MOST_BOXES; ) {
            file.seek(at);
            long size = number(4);
            String kind = ExifReader.name(file);
            int header = size == 1 ? LONG_HEADER : HEADER;
            long next = size == 0 ? end : at + (size == 1 ? number(8) : size);
            if (next < at + header || next > end) {
                break;
            }
            found.add(new Box(kind, at + header, next));
            at = next;
        }
        return found;
    }

    private static Box first(String kind, List<Box> boxes) {
        for (Box box : boxes) {
            if (box.kind.equals(kind)) {
                return box;
            }
        }
        return null;
    }

    private int version() throws IOException {
        return file.readInt() >>> 24;
    }

    private long number(int bytes) throws IOException {
        long value = 0;
        for (int at = 0; at < bytes; at++) {
            value = value << 8 | file.readUnsignedByte();
        }
        return value;
    }
}
