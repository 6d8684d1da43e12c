package app.pocketbokeh.model;

import app.pocketbokeh.picture.NetworkInput;
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

/** Runs a .tflite model on one accelerator. Uses no Android classes, so tests run it unchanged. */
public final class TfliteRenderer implements Renderer {
    private final Interpreter interpreter;
    private final AutoCloseable delegate;
    private final Quantization input;
    private final Quantization output;
    private final int inputHeight;
    private final int inputWidth;
    private final int inputChannels;
    private final int outputChannels;
    private final ByteBuffer inputBuffer;
    private final ByteBuffer outputBuffer;

    /** How a tensor stores values: value = (code − zeroPoint) · scale. Scale 0 means floats. */
    private record Quantization(float scale, int zeroPoint) {
        static Quantization of(Tensor tensor) throws AcceleratorException {
            if (tensor.dataType() == DataType.FLOAT32) {
                return new Quantization(0, 0);
            }
            if (tensor.dataType() != DataType.UINT8) {
                String type = tensor.dataType().toString();
                throw new AcceleratorException(
                        "its input or output is " + type + ", expected FLOAT32 or UINT8", null);
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
        inputChannels = in.shape()[3];
        outputChannels = out.shape()[3];
        inputBuffer = ByteBuffer.allocateDirect(in.numBytes()).order(ByteOrder.nativeOrder());
        outputBuffer = ByteBuffer.allocateDirect(out.numBytes()).order(ByteOrder.nativeOrder());
    }

    /**
     * Loads a model.
     *
     * @param model a .tflite file, in a direct buffer
     * @param threads number of CPU threads
     * @throws AcceleratorException if the accelerator is missing or cannot run the model
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

    /** Without the library, TFLite would silently run on the CPU. */
    private static void loadNnapi() throws AcceleratorException {
        try {
            System.loadLibrary("neuralnetworks");
        } catch (UnsatisfiedLinkError error) {
            throw new AcceleratorException("this Android has no NNAPI", error);
        }
    }

    private static AcceleratorException because(Throwable error) {
        if (error instanceof AcceleratorException known) {
            return known;
        }
        String reason = String.valueOf(error.getMessage()).trim().split("\n")[0];
        if (error instanceof LinkageError) {
            reason = "its library cannot be loaded: " + reason;
        }
        return new AcceleratorException(reason, error);
    }

    /** Height of the model's input. */
    public int inputHeight() {
        return inputHeight;
    }

    /** Width of the model's input. */
    public int inputWidth() {
        return inputWidth;
    }

    /** 3, or 4 with a focus map. */
    public int inputChannels() {
        return inputChannels;
    }

    @Override
    public Planes render(NetworkInput seen) throws AcceleratorException {
        Picture colours = seen.colours();
        if (colours.height() != inputHeight
                || colours.width() != inputWidth
                || seen.channels() != inputChannels) {
            throw new IllegalArgumentException("the picture does not have the model's input size");
        }
        encode(seen.interleaved());
        rewind(inputBuffer);
        rewind(outputBuffer);
        try {
            interpreter.run(inputBuffer, outputBuffer);
        } catch (RuntimeException error) {
            throw because(error);
        }
        return decode();
    }

    private void encode(byte[] bytes) {
        rewind(inputBuffer);
        if (input.isFloat()) {
            float[] values = new float[bytes.length];
            for (int at = 0; at < bytes.length; at++) {
                values[at] = (bytes[at] & 0xff) / 255f;
            }
            inputBuffer.asFloatBuffer().put(values);
            return;
        }
        byte[] codes = new byte[bytes.length];
        for (int at = 0; at < bytes.length; at++) {
            double code = Math.rint((bytes[at] & 0xff) / 255f / input.scale) + input.zeroPoint;
            codes[at] = (byte) (int) Math.max(0, Math.min(255, code));
        }
        inputBuffer.put(codes);
    }

    /** Compiled for Java 17, a call of ByteBuffer.rewind would not link on Android 8. */
    private static void rewind(Buffer buffer) {
        buffer.rewind();
    }

    private Planes decode() {
        rewind(outputBuffer);
        float[] values = new float[output.isFloat() ? outputBuffer.capacity() / 4 : outputBuffer.capacity()];
        if (output.isFloat()) {
            outputBuffer.asFloatBuffer().get(values);
        } else {
            byte[] codes = new byte[values.length];
            outputBuffer.get(codes);
            for (int at = 0; at < codes.length; at++) {
                values[at] = ((codes[at] & 0xff) - output.zeroPoint) * output.scale;
            }
        }
        int height = 2 * inputHeight;
        int width = 2 * inputWidth;
        float[][] planes = new float[outputChannels][height * width];
        for (int at = 0; at < values.length; at++) {
            planes[at % outputChannels][at / outputChannels] = clip(values[at]);
        }
        return new Planes(height, width, planes);
    }

    /** Clips to 0…1; NaN becomes 0. */
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
