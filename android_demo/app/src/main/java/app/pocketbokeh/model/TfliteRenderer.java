package app.pocketbokeh.model;

import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.tensorflow.lite.DataType;
import org.tensorflow.lite.Delegate;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;
import org.tensorflow.lite.gpu.GpuDelegate;
import org.tensorflow.lite.gpu.GpuDelegateFactory;
import org.tensorflow.lite.nnapi.NnApiDelegate;

/** A .tflite model on one accelerator. Knows nothing of Android, so that it is tested as it is. */
public final class TfliteRenderer implements Renderer {
    private final Interpreter interpreter;
    private final AutoCloseable delegate;
    private final Quantization input;
    private final Quantization output;
    private final int inputHeight;
    private final int inputWidth;
    private final ByteBuffer taken;
    private final ByteBuffer given;

    /** A model's integers: value = (code − zeroPoint) · scale; of floats the scale is 0. */
    private record Quantization(float scale, int zeroPoint) {
        static Quantization of(Tensor tensor) throws AcceleratorException {
            if (tensor.dataType() == DataType.FLOAT32) {
                return new Quantization(0, 0);
            }
            if (tensor.dataType() != DataType.UINT8) {
                throw new AcceleratorException("a model of " + tensor.dataType() + " edges", null);
            }
            Tensor.QuantizationParams codes = tensor.quantizationParams();
            return new Quantization(codes.getScale(), codes.getZeroPoint());
        }

        boolean isFloat() {
            return scale == 0;
        }
    }

    private TfliteRenderer(Interpreter interpreter, AutoCloseable delegate)
            throws AcceleratorException {
        this.interpreter = interpreter;
        this.delegate = delegate;
        Tensor in = interpreter.getInputTensor(0);
        Tensor out = interpreter.getOutputTensor(0);
        input = Quantization.of(in);
        output = Quantization.of(out);
        inputHeight = in.shape()[1];
        inputWidth = in.shape()[2];
        taken = ByteBuffer.allocateDirect(in.numBytes()).order(ByteOrder.nativeOrder());
        given = ByteBuffer.allocateDirect(out.numBytes()).order(ByteOrder.nativeOrder());
    }

    /**
     * Loads a model.
     *
     * @param model a .tflite file, in a direct buffer
     * @param threads of the CPU
     * @throws AcceleratorException if the accelerator is missing or does not take the model
     */
    public static TfliteRenderer open(ByteBuffer model, Accelerator accelerator, int threads)
            throws AcceleratorException {
        AutoCloseable delegate = null;
        Interpreter interpreter = null;
        try {
            Interpreter.Options options = new Interpreter.Options().setNumThreads(threads);
            options.setUseXNNPACK(accelerator == Accelerator.CPU);
            delegate = delegate(accelerator);
            if (delegate != null) {
                options.addDelegate((Delegate) delegate);
            }
            interpreter = new Interpreter(model, options);
            return new TfliteRenderer(interpreter, delegate);
        } catch (AcceleratorException | RuntimeException | LinkageError error) {
            closeBoth(interpreter, delegate);
            throw because(error);
        }
    }

    private static AutoCloseable delegate(Accelerator accelerator) throws AcceleratorException {
        return switch (accelerator) {
            case CPU -> null;
            case GPU ->
                    new GpuDelegate(
                            new GpuDelegateFactory.Options()
                                    .setPrecisionLossAllowed(true)
                                    .setQuantizedModelsAllowed(true));
            case NNAPI -> {
                loadNnapi();
                yield new NnApiDelegate(
                        new NnApiDelegate.Options()
                                .setUseNnapiCpu(false)
                                .setExecutionPreference(
                                        NnApiDelegate.Options
                                                .EXECUTION_PREFERENCE_SUSTAINED_SPEED));
            }
        };
    }

    /** TFLite would take the CPU without a word where the library is missing. */
    private static void loadNnapi() throws AcceleratorException {
        try {
            System.loadLibrary("neuralnetworks");
        } catch (UnsatisfiedLinkError error) {
            throw new AcceleratorException("this Android has none", error);
        }
    }

    private static AcceleratorException because(Throwable error) {
        if (error instanceof AcceleratorException known) {
            return known;
        }
        String reason = String.valueOf(error.getMessage()).trim().split("\n")[0];
        if (error instanceof LinkageError) {
            reason = "its library cannot be loaded here: " + reason;
        }
        return new AcceleratorException(reason, error);
    }

    /** Height of the pictures that it takes. */
    public int inputHeight() {
        return inputHeight;
    }

    /** Width of the pictures that it takes. */
    public int inputWidth() {
        return inputWidth;
    }

    @Override
    public Planes render(Picture picture) throws AcceleratorException {
        if (picture.height() != inputHeight || picture.width() != inputWidth) {
            throw new IllegalArgumentException("a picture of another size than the model's");
        }
        encode(picture.rgb());
        rewind(taken);
        rewind(given);
        try {
            interpreter.run(taken, given);
        } catch (RuntimeException error) {
            throw because(error);
        }
        return decode();
    }

    private void encode(byte[] rgb) {
        rewind(taken);
        if (input.isFloat()) {
            float[] values = new float[rgb.length];
            for (int at = 0; at < rgb.length; at++) {
                values[at] = (rgb[at] & 0xff) / 255f;
            }
            taken.asFloatBuffer().put(values);
            return;
        }
        byte[] codes = new byte[rgb.length];
        for (int at = 0; at < rgb.length; at++) {
            double code = Math.rint((rgb[at] & 0xff) / 255f / input.scale) + input.zeroPoint;
            codes[at] = (byte) (int) Math.max(0, Math.min(255, code));
        }
        taken.put(codes);
    }

    /** A ByteBuffer's own method, as Java 17 compiles it, is unknown to Android 8. */
    private static void rewind(Buffer buffer) {
        buffer.rewind();
    }

    private Planes decode() {
        rewind(given);
        float[] values = new float[output.isFloat() ? given.capacity() / 4 : given.capacity()];
        if (output.isFloat()) {
            given.asFloatBuffer().get(values);
        } else {
            byte[] codes = new byte[values.length];
            given.get(codes);
            for (int at = 0; at < codes.length; at++) {
                values[at] = ((codes[at] & 0xff) - output.zeroPoint) * output.scale;
            }
        }
        Planes planes = new Planes(2 * inputHeight, 2 * inputWidth);
        for (int channel = 0; channel < 3; channel++) {
            float[] plane = planes.channel(channel);
            for (int pixel = 0; pixel < plane.length; pixel++) {
                plane[pixel] = clip(values[3 * pixel + channel]);
            }
        }
        return planes;
    }

    /** Within 0…1; what is no number becomes 0, as on the screen. */
    private static float clip(float value) {
        return value >= 0 ? Math.min(1, value) : 0;
    }

    @Override
    public void close() {
        closeBoth(interpreter, delegate);
    }

    private static void closeBoth(Interpreter interpreter, AutoCloseable delegate) {
        if (interpreter != null) {
            interpreter.close();
        }
        if (delegate != null) {
            try {
                delegate.close();
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }
    }
}
