package app.pocketbokeh;

import android.graphics.Bitmap;
import android.graphics.BlurMaskFilter;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.LinearGradient;
import android.graphics.Paint;
import android.graphics.Shader;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Random;

/** Draws photos for the tests. */
public final class Photos {
    private Photos() {}

    /** A sharp ball in front of distant lights. */
    public static Bitmap draw(int width, int height) {
        Bitmap bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        Canvas canvas = new Canvas(bitmap);
        Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG);
        paint.setShader(
                new LinearGradient(
                        0, 0, width, height, 0xff10203c, 0xffb06030, Shader.TileMode.CLAMP));
        canvas.drawPaint(paint);
        paint.setShader(null);
        Random random = new Random(1);
        for (int light = 0; light < 60; light++) {
            paint.setColor(Color.HSVToColor(new float[] {random.nextInt(360), 0.4f, 1}));
            float x = random.nextFloat() * width;
            canvas.drawCircle(x, random.nextFloat() * height * 0.7f, width / 120f, paint);
        }
        paint.setColor(0xffe8d8b0);
        canvas.drawCircle(width / 2f, height * 0.62f, Math.min(width, height) / 4f, paint);
        paint.setColor(0xff302010);
        paint.setTextSize(height / 12f);
        paint.setMaskFilter(new BlurMaskFilter(1, BlurMaskFilter.Blur.NORMAL));
        canvas.drawText("bokeh", width / 2f - height / 9f, height * 0.64f, paint);
        return bitmap;
    }

    public static File write(Bitmap bitmap, File file) throws IOException {
        try (OutputStream out = new FileOutputStream(file)) {
            bitmap.compress(Bitmap.CompressFormat.JPEG, 95, out);
        }
        return file;
    }
}
