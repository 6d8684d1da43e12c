/* Runs a .tflite file with the app's own Android library: run_model MODEL INPUT OUTPUT
   Input and output are files with the bytes of the model's tensors. */
#include <stdio.h>
#include <stdlib.h>

/* Android's code reads the stack guard at a fixed offset in thread-local storage, where glibc keeps
   other data. This array moves glibc's data out of the way. */
__thread char padding[256] __attribute__((aligned(64)));

typedef struct Any Any;
Any *TfLiteModelCreateFromFile(const char *);
Any *TfLiteInterpreterOptionsCreate(void);
void TfLiteInterpreterOptionsSetNumThreads(Any *, int);
Any *TfLiteInterpreterCreate(Any *, Any *);
int TfLiteInterpreterAllocateTensors(Any *);
Any *TfLiteInterpreterGetInputTensor(Any *, int);
Any *TfLiteInterpreterGetOutputTensor(Any *, int);
size_t TfLiteTensorByteSize(Any *);
void *TfLiteTensorData(Any *);
int TfLiteInterpreterInvoke(Any *);
const char *TfLiteVersion(void);

static int fail(const char *what)
{
    fprintf(stderr, "run_model: %s\n", what);
    return 1;
}

int main(int count, char **arguments)
{
    padding[0] = 1;
    if (count < 4)
        return fail("expected MODEL INPUT OUTPUT");
    Any *model = TfLiteModelCreateFromFile(arguments[1]);
    Any *options = TfLiteInterpreterOptionsCreate();
    TfLiteInterpreterOptionsSetNumThreads(options, 1);
    Any *interpreter = model ? TfLiteInterpreterCreate(model, options) : NULL;
    if (!interpreter || TfLiteInterpreterAllocateTensors(interpreter))
        return fail("the model cannot be loaded");

    Any *input = TfLiteInterpreterGetInputTensor(interpreter, 0);
    FILE *file = fopen(arguments[2], "rb");
    size_t size = TfLiteTensorByteSize(input);
    if (!file || fread(TfLiteTensorData(input), 1, size, file) != size)
        return fail("the input file does not have the size of the model's input");
    fclose(file);

    if (TfLiteInterpreterInvoke(interpreter))
        return fail("the model failed to run");

    Any *output = TfLiteInterpreterGetOutputTensor(interpreter, 0);
    size = TfLiteTensorByteSize(output);
    file = fopen(arguments[3], "wb");
    if (!file || fwrite(TfLiteTensorData(output), 1, size, file) != size || fclose(file))
        return fail("the output cannot be written");
    printf("TFLite %s\n", TfLiteVersion());
    return 0;
}
