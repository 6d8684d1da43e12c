package app.pocketbokeh;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a method that uses API added in a later Android than the oldest supported one. Callers must
 * check `Build.VERSION.SDK_INT` first. The API check compares such methods with the newest API.
 */
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.METHOD)
public @interface FromApi {
    int value();
}
