package app.pocketbokeh.photo;

import app.pocketbokeh.picture.Orientation;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Finds EXIF in JPEG, PNG, WebP, HEIC and AVIF files. Android's own reader does not read PNG and
 * WebP before Android 11.
 */
final class ExifReader {
    private static final int JPEG = 0xffd8;
    private static final int JPEG_EXIF = 0xffe1;
    private static final int JPEG_SCAN = 0xffda;
    private static final int JPEG_FILL = 0xffff;
    private static final int PNG = 0x89504e47;
    private static final byte[] NOTHING = {};

    private ExifReader() {}

    /**
     * Reads a photo's EXIF. It is empty if the photo has none or it is damaged.
     *
     * @throws IOException if the file cannot be read
     */
    static Exif read(File photo) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(photo, "r")) {
            int start = file.readInt();
            if (start >>> 16 == JPEG) {
                return new Exif(inJpeg(file));
            }
            if (start == PNG) {
                return new Exif(inPng(file));
            }
            if (start == code("RIFF")) {
                return new Exif(inWebP(file));
            }
            return name(file).equals("ftyp") ? inHeif(file) : new Exif(NOTHING);
        } catch (EOFException error) {
            return new Exif(NOTHING);
        }
    }

    /** A JPEG's segments: a marker, then a length that counts its own two bytes. */
    private static byte[] inJpeg(RandomAccessFile file) throws IOException {
        file.seek(2);
        while (true) {
            int marker = file.readUnsignedShort();
            if (marker == JPEG_FILL) {
                file.seek(file.getFilePointer() - 1);
                continue;
            }
            if (marker >> 8 != 0xff || marker == JPEG_SCAN) {
                return NOTHING;
            }
            int length = file.readUnsignedShort() - 2;
            long end = file.getFilePointer() + length;
            if (marker == JPEG_EXIF && length > 6 && code("Exif") == file.readInt()) {
                file.readUnsignedShort();
                return bytes(file, length - 6);
            }
            file.seek(end);
        }
    }

    /** A PNG's chunks: a length, a name, the content and a checksum. */
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

    /** A WebP's chunks: a name, a little-endian length, and content padded to an even length. */
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

    /** Some writers put the mark of a JPEG segment before the TIFF. */
    private static byte[] withoutMark(byte[] exif) {
        boolean marked = exif.length > 6 && exif[0] == 'E';
        return marked ? Arrays.copyOfRange(exif, 6, exif.length) : exif;
    }

    /** HEIC and AVIF: the orientation is the file's own, whatever EXIF says. */
    private static Exif inHeif(RandomAccessFile file) throws IOException {
        HeifFile heif = new HeifFile(file);
        Orientation orientation = heif.orientation();
        Exif exif = new Exif(NOTHING);
        try {
            exif = new Exif(heif.exif());
        } catch (EOFException error) {
            // The orientation still applies.
        }
        return exif.withOrientation(orientation);
    }

    /** Reads so many bytes; none if they would not fit into a JPEG's segment. */
    static byte[] bytes(RandomAccessFile file, long length) throws IOException {
        if (length < 0 || length > Exif.MOST_BYTES) {
            return NOTHING;
        }
        byte[] bytes = new byte[(int) length];
        file.readFully(bytes);
        return bytes;
    }

    /** Reads a name of four letters. */
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
