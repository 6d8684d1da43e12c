package app.pocketbokeh.photo;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Where JPEG, PNG, WebP and HEIF keep EXIF notes. */
final class NotesInFile {
    private static final int JPEG = 0xffd8;
    private static final int JPEG_NOTES = 0xffe1;
    private static final int JPEG_SCAN = 0xffda;
    private static final int PNG = 0x89504e47;
    private static final byte[] NOTHING = {};

    private NotesInFile() {}

    /**
     * Finds the notes.
     *
     * @return as TIFF, or nothing
     * @throws java.io.EOFException if the file ends too early
     */
    static byte[] find(RandomAccessFile file) throws IOException {
        int start = file.readInt();
        if (start >>> 16 == JPEG) {
            return inJpeg(file);
        }
        if (start == PNG) {
            return inPng(file);
        }
        String kind = name(file);
        if (start == code("RIFF")) {
            return inWebP(file);
        }
        return kind.equals("ftyp") ? HeifNotes.find(file) : NOTHING;
    }

    /** Segments of a marker and a length that counts itself, until the picture begins. */
    private static byte[] inJpeg(RandomAccessFile file) throws IOException {
        file.seek(2);
        while (true) {
            int marker = file.readUnsignedShort();
            if (marker >> 8 != 0xff || marker == JPEG_SCAN) {
                return NOTHING;
            }
            int length = file.readUnsignedShort() - 2;
            long end = file.getFilePointer() + length;
            if (marker == JPEG_NOTES && length > 6 && code("Exif") == file.readInt()) {
                file.readUnsignedShort();
                return bytes(file, length - 6);
            }
            file.seek(end);
        }
    }

    /** Chunks of a length, a name, so many bytes and a checksum. */
    private static byte[] inPng(RandomAccessFile file) throws IOException {
        file.seek(8);
        while (true) {
            long length = file.readInt() & 0xffffffffL;
            String name = name(file);
            if (name.equals("eXIf")) {
                return bytes(file, length);
            }
            if (name.equals("IEND")) {
                return NOTHING;
            }
            file.seek(file.getFilePointer() + length + 4);
        }
    }

    /** Chunks of a name, a length, lowest byte first, and an even number of bytes. */
    private static byte[] inWebP(RandomAccessFile file) throws IOException {
        file.seek(12);
        while (true) {
            String name = name(file);
            long length = Integer.reverseBytes(file.readInt()) & 0xffffffffL;
            if (name.equals("EXIF")) {
                return withoutMark(bytes(file, length));
            }
            file.seek(file.getFilePointer() + length + length % 2);
        }
    }

    /** Some writers put a JPEG's mark before the TIFF. */
    private static byte[] withoutMark(byte[] notes) {
        boolean marked = notes.length > 6 && notes[0] == 'E';
        return marked ? Arrays.copyOfRange(notes, 6, notes.length) : notes;
    }

    /** So many bytes, or none where a JPEG could not hold them. */
    static byte[] bytes(RandomAccessFile file, long length) throws IOException {
        if (length < 0 || length > ExifNotes.MOST_BYTES) {
            return NOTHING;
        }
        byte[] bytes = new byte[(int) length];
        file.readFully(bytes);
        return bytes;
    }

    /** Four letters. */
    static String name(RandomAccessFile file) throws IOException {
        byte[] letters = new byte[4];
        file.readFully(letters);
        return new String(letters, StandardCharsets.ISO_8859_1);
    }

    private static int code(String name) {
        int code = 0;
        for (int at = 0; at < 4; at++) {
            code = code << 8 | name.charAt(at);
        }
        return code;
    }
}
