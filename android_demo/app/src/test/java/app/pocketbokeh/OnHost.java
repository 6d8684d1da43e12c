package app.pocketbokeh;

import app.pocketbokeh.model.Accelerator;
import app.pocketbokeh.model.LiteRenderer;
import app.pocketbokeh.photo.ExifNotes;
import app.pocketbokeh.picture.DetailTransfer;
import app.pocketbokeh.picture.Enlargement;
import app.pocketbokeh.picture.Framed;
import app.pocketbokeh.picture.Overlay;
import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The app's own classes on files of bare numbers, for the tests in Python to hold beside theirs.
 *
 * Pictures are height × width × 3 bytes; renderings are height × width × 3 floats.
 */
public final class OnHost {
    private OnHost() {}

    public static void main(String[] arguments) throws Exception {
        Path out = Path.of(arguments[arguments.length - 1]);
        switch (arguments[0]) {
            case "frame" -> Files.write(out, views(arguments).get(0).networkInput().rgb());
            case "transfer" -> Files.write(out, transfer(arguments));
            case "notes" -> Files.write(out, notes(arguments));
            case "model" -> Files.write(out, model(arguments));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static Picture picture(String file, String height, String width) throws IOException {
        byte[] rgb = Files.readAllBytes(Path.of(file));
        return new Picture(Integer.parseInt(height), Integer.parseInt(width), rgb);
    }

    /** frame PHOTO HEIGHT WIDTH WORKING_HEIGHT WORKING_WIDTH. */
    private static List<Framed> views(String[] arguments) throws Exception {
        Picture photo = picture(arguments[1], arguments[2], arguments[3]);
        return Framed.views(
                photo, Integer.parseInt(arguments[4]), Integer.parseInt(arguments[5]));
    }

    /**
     * transfer PHOTO HEIGHT WIDTH WORKING_HEIGHT WORKING_WIDTH RENDERED STRENGTH; RENDERED holds as
     * many renderings as the photo has views, one after the other.
     */
    private static byte[] transfer(String[] arguments) throws Exception {
        Picture photo = picture(arguments[1], arguments[2], arguments[3]);
        byte[] given = Files.readAllBytes(Path.of(arguments[6]));
        List<Framed> views = views(arguments);
        List<Planes> renderings = new ArrayList<>();
        for (Framed framed : views) {
            Picture working = framed.picture();
            int bytes = 3 * Float.BYTES * working.height() * working.width();
            int start = renderings.size() * bytes;
            byte[] floats = Arrays.copyOfRange(given, start, start + bytes);
            renderings.add(planes(floats, working.height(), working.width()));
        }
        Overlay overlay =
                DetailTransfer.mean(views, renderings).ofStrength(Float.parseFloat(arguments[7]));
        int height = photo.height();
        int width = photo.width();
        byte[] rgb = photo.rgb().clone();
        Enlargement enlargement = new Enlargement(overlay, height, width);
        int[] pixels = new int[width];
        for (int row = 0; row < height; row++) {
            int start = 3 * row * width;
            for (int column = 0; column < width; column++) {
                int at = start + 3 * column;
                pixels[column] =
                        0xff000000
                                | (rgb[at] & 0xff) << 16
                                | (rgb[at + 1] & 0xff) << 8
                                | rgb[at + 2] & 0xff;
            }
            enlargement.render(row, pixels, 0);
            byte[] result = Picture.ofPixels(1, width, pixels).rgb();
            System.arraycopy(result, 0, rgb, start, result.length);
        }
        return rgb;
    }

    private static Planes planes(byte[] bytes, int height, int width) {
        float[] values = new float[3 * height * width];
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer().get(values);
        Planes planes = new Planes(height, width);
        for (int at = 0; at < values.length; at++) {
            planes.channel(at % 3)[at / 3] = values[at];
        }
        return planes;
    }

    /** notes PHOTO; writes how it lies in its file, and the notes of it turned upright. */
    private static byte[] notes(String[] arguments) throws IOException {
        ExifNotes notes = ExifNotes.read(new File(arguments[1]));
        byte[] tiff = notes.upright().tiff();
        ByteBuffer out = ByteBuffer.allocate(1 + tiff.length);
        return out.put((byte) notes.orientation().exif()).put(tiff).array();
    }

    /** model FILE ACCELERATOR INPUT; writes what the model gives, 0…1. */
    private static byte[] model(String[] arguments) throws Exception {
        byte[] content = Files.readAllBytes(Path.of(arguments[1]));
        ByteBuffer buffer =
                ByteBuffer.allocateDirect(content.length).order(ByteOrder.nativeOrder());
        buffer.put(content).rewind();
        Accelerator accelerator = Accelerator.valueOf(arguments[2]);
        try (LiteRenderer renderer = LiteRenderer.open(buffer, accelerator, 2)) {
            byte[] rgb = Files.readAllBytes(Path.of(arguments[3]));
            Picture input = new Picture(renderer.inputHeight(), renderer.inputWidth(), rgb);
            Planes rendered = renderer.render(input);
            int pixels = rendered.height() * rendered.width();
            ByteBuffer out =
                    ByteBuffer.allocate(3 * 4 * pixels).order(ByteOrder.nativeOrder());
            for (int at = 0; at < 3 * pixels; at++) {
                out.putFloat(rendered.channel(at % 3)[at / 3]);
            }
            return out.array();
        }
    }
}
