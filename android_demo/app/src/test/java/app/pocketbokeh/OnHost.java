package app.pocketbokeh;

import static java.nio.charset.StandardCharsets.UTF_8;

import app.pocketbokeh.model.Accelerator;
import app.pocketbokeh.model.TfliteRenderer;
import app.pocketbokeh.photo.Exif;
import app.pocketbokeh.picture.DetailTransfer;
import app.pocketbokeh.picture.OverlayBlender;
import app.pocketbokeh.picture.FocusPoint;
import app.pocketbokeh.picture.Framed;
import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Overlay;
import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs the app's own classes on files of raw numbers, for tests in Python that compare the results
 * with Python's.
 *
 * <p>Pictures are height × width × 3 bytes, renderings height × width × 3 floats.
 */
public final class OnHost {
    private OnHost() {}

    public static void main(String[] arguments) throws Exception {
        Path out = Path.of(arguments[arguments.length - 1]);
        switch (arguments[0]) {
            case "frame" -> Files.write(out, views(arguments).get(0).networkInput().interleaved());
            case "focus" -> Files.write(out, focused(arguments));
            case "transfer" -> Files.write(out, transfer(arguments));
            case "exif" -> Files.write(out, Exif.read(new File(arguments[1])).tiff());
            case "orientations" -> Files.write(out, orientations(arguments));
            case "constants" -> Files.write(out, constants(arguments[1]).getBytes(UTF_8));
            case "model" -> Files.write(out, model(arguments));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static Picture picture(String file, String height, String width) throws IOException {
        byte[] rgb = Files.readAllBytes(Path.of(file));
        return new Picture(Integer.parseInt(height), Integer.parseInt(width), rgb);
    }

    /** frame PHOTO HEIGHT WIDTH WORKING_HEIGHT WORKING_WIDTH; writes the network's input. */
    private static List<Framed> views(String[] arguments) throws Exception {
        Picture photo = picture(arguments[1], arguments[2], arguments[3]);
        return Framed.views(
                photo, Integer.parseInt(arguments[4]), Integer.parseInt(arguments[5]));
    }

    /** focus PHOTO HEIGHT WIDTH WORKING_HEIGHT WORKING_WIDTH X Y; writes the inputs of all views. */
    private static byte[] focused(String[] arguments) throws Exception {
        FocusPoint focus =
                new FocusPoint(Float.parseFloat(arguments[6]), Float.parseFloat(arguments[7]));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Framed view : views(arguments)) {
            out.write(view.networkInput(focus).interleaved());
        }
        return out.toByteArray();
    }

    /**
     * transfer PHOTO HEIGHT WIDTH WORKING_HEIGHT WORKING_WIDTH RENDERED STRENGTH; RENDERED holds as
     * many renderings as the photo has views, one after the other, with or without sharpness.
     */
    private static byte[] transfer(String[] arguments) throws Exception {
        Picture photo = picture(arguments[1], arguments[2], arguments[3]);
        byte[] given = Files.readAllBytes(Path.of(arguments[6]));
        List<Framed> views = views(arguments);
        List<Planes> renderings = new ArrayList<>();
        for (Framed framed : views) {
            Picture working = framed.picture();
            int bytes = given.length / views.size();
            int start = renderings.size() * bytes;
            byte[] floats = Arrays.copyOfRange(given, start, start + bytes);
            renderings.add(planes(floats, working.height(), working.width()));
        }
        Overlay overlay =
                DetailTransfer.mean(views, renderings).atStrength(Float.parseFloat(arguments[7]));
        int height = photo.height();
        int width = photo.width();
        byte[] rgb = photo.rgb().clone();
        OverlayBlender blender = new OverlayBlender(overlay, height, width);
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
            blender.blendRow(row, pixels, 0);
            byte[] result = Picture.ofPixels(1, width, pixels).rgb();
            System.arraycopy(result, 0, rgb, start, result.length);
        }
        return rgb;
    }

    private static Planes planes(byte[] bytes, int height, int width) {
        float[] values = new float[bytes.length / Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer().get(values);
        int channels = values.length / (height * width);
        float[][] planes = new float[channels][height * width];
        for (int at = 0; at < values.length; at++) {
            planes[at % channels][at / channels] = values[at];
        }
        return new Planes(height, width, planes);
    }

    /** orientations PHOTO…; writes one byte for each photo. */
    private static byte[] orientations(String[] arguments) throws IOException {
        byte[] orientations = new byte[arguments.length - 2];
        for (int photo = 0; photo < orientations.length; photo++) {
            Exif exif = Exif.read(new File(arguments[photo + 1]));
            orientations[photo] = (byte) exif.orientation().exif();
        }
        return orientations;
    }

    /** constants CLASS; writes the numbers that a class holds as constants, one NAME VALUE a line. */
    private static String constants(String name) throws ReflectiveOperationException {
        StringBuilder lines = new StringBuilder();
        for (Field field : Class.forName("app.pocketbokeh." + name).getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType().isPrimitive()) {
                field.setAccessible(true);
                lines.append(field.getName()).append(' ').append(field.get(null)).append('\n');
            }
        }
        return lines.toString();
    }

    /** Takes height × width × channels bytes apart. */
    private static NetworkInput input(TfliteRenderer renderer, byte[] bytes) {
        int pixels = renderer.inputHeight() * renderer.inputWidth();
        byte[] rgb = new byte[3 * pixels];
        byte[] focus = renderer.inputChannels() == 4 ? new byte[pixels] : null;
        for (int at = 0; at < bytes.length; at++) {
            int pixel = at / renderer.inputChannels();
            int channel = at % renderer.inputChannels();
            if (channel < 3) {
                rgb[3 * pixel + channel] = bytes[at];
            } else {
                focus[pixel] = bytes[at];
            }
        }
        return new NetworkInput(
                new Picture(renderer.inputHeight(), renderer.inputWidth(), rgb), focus);
    }

    /** model FILE ACCELERATOR INPUT; writes the model's output, 0…1. */
    private static byte[] model(String[] arguments) throws Exception {
        byte[] content = Files.readAllBytes(Path.of(arguments[1]));
        ByteBuffer buffer =
                ByteBuffer.allocateDirect(content.length).order(ByteOrder.nativeOrder());
        buffer.put(content).rewind();
        Accelerator accelerator = Accelerator.valueOf(arguments[2]);
        try (TfliteRenderer renderer = TfliteRenderer.open(buffer, accelerator, 2)) {
            byte[] bytes = Files.readAllBytes(Path.of(arguments[3]));
            Planes rendered = renderer.render(input(renderer, bytes));
            int channels = rendered.hasSharpness() ? 4 : 3;
            int values = channels * rendered.height() * rendered.width();
            ByteBuffer out =
                    ByteBuffer.allocate(Float.BYTES * values).order(ByteOrder.nativeOrder());
            for (int at = 0; at < values; at++) {
                out.putFloat(rendered.channel(at % channels)[at / channels]);
            }
            return out.array();
        }
    }
}
