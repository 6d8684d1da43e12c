package app.pocketbokeh.photo;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;

/**
 * EXIF notes in HEIF (ISO 23008-12): a file of boxes, in which notes are one item among the tiles
 * of the picture. `iinf` names the items, `iloc` says where they lie.
 */
final class HeifNotes {
    private static final int HEADER = 8;
    private static final int LONG_HEADER = 16;
    private static final int IN_FILE = 0;
    private static final long NONE = -1;

    private final RandomAccessFile file;

    private HeifNotes(RandomAccessFile file) {
        this.file = file;
    }

    /** The notes as TIFF, or nothing. */
    static byte[] find(RandomAccessFile file) throws IOException {
        return new HeifNotes(file).find();
    }

    private byte[] find() throws IOException {
        Box meta = find("meta", new Box(0, file.length()));
        Box items = meta == null ? null : new Box(meta.start + 4, meta.end); // after its version
        Box names = items == null ? null : find("iinf", items);
        Box places = items == null ? null : find("iloc", items);
        if (names == null || places == null) {
            return new byte[0];
        }
        long item = exifItem(names);
        return item == NONE ? new byte[0] : content(item, places);
    }

    /** The number of the item that holds the notes. */
    private long exifItem(Box names) throws IOException {
        file.seek(names.start);
        int version = file.readInt() >>> 24;
        long count = number(version == 0 ? 2 : 4);
        Box rest = new Box(file.getFilePointer(), names.end);
        for (long index = 0; index < count; index++) {
            Box entry = find("infe", rest);
            if (entry == null) {
                return NONE;
            }
            file.seek(entry.start);
            int entryVersion = file.readInt() >>> 24;
            long item = number(entryVersion == 2 ? 2 : 4);
            file.readUnsignedShort(); // how it is protected
            if (NotesInFile.name(file).equals("Exif")) {
                return item;
            }
            rest = new Box(entry.end, rest.end);
        }
        return NONE;
    }

    /** What an item holds, where it lies in one piece in the file itself. */
    private byte[] content(long wanted, Box places) throws IOException {
        file.seek(places.start);
        int version = file.readInt() >>> 24;
        int sizes = file.readUnsignedShort();
        int offsetBytes = sizes >> 12;
        int lengthBytes = sizes >> 8 & 15;
        int baseBytes = sizes >> 4 & 15;
        int indexBytes = version == 0 ? 0 : sizes & 15;
        long count = number(version < 2 ? 2 : 4);
        for (long index = 0; index < count && file.getFilePointer() < places.end; index++) {
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

    /** The first number of the item counts the bytes between itself and the TIFF. */
    private byte[] tiff(long offset, long length) throws IOException {
        if (offset < 0 || offset > file.length()) {
            throw new EOFException();
        }
        file.seek(offset);
        long before = number(4);
        file.seek(offset + 4 + before);
        return NotesInFile.bytes(file, length - 4 - before);
    }

    /** The first box of a kind within another. */
    private Box find(String kind, Box within) throws IOException {
        for (long at = within.start; at + HEADER <= within.end; ) {
            file.seek(at);
            long size = number(4);
            String found = NotesInFile.name(file);
            int header = size == 1 ? LONG_HEADER : HEADER;
            long end = size == 0 ? within.end : at + (size == 1 ? number(8) : size);
            if (end < at + header || end > within.end) {
                return null;
            }
            if (found.equals(kind)) {
                return new Box(at + header, end);
            }
            at = end;
        }
        return null;
    }

    private long number(int bytes) throws IOException {
        long value = 0;
        for (int at = 0; at < bytes; at++) {
            value = value << 8 | file.readUnsignedByte();
        }
        return value;
    }

    /** What a box holds: from where to where in the file. */
    private static final class Box {
        final long start;
        final long end;

        Box(long start, long end) {
            this.start = start;
            this.end = end;
        }
    }
}
