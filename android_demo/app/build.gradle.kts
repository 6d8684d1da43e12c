// A test checks that it agrees with ../versions.toml.

plugins {
    id("com.android.application")
}

android {
    namespace = "app.pocketbokeh"
    compileSdk = 36

    defaultConfig {
        applicationId = "app.pocketbokeh"
        minSdk = 26
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
        ndk {
            abiFilters += listOf("arm64-v8a", "x86_64")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    packaging {
        jniLibs.useLegacyPackaging = true
    }
}

dependencies {
    implementation("org.tensorflow:tensorflow-lite:2.16.1@aar")
    implementation("org.tensorflow:tensorflow-lite-api:2.16.1@aar")
    implementation("org.tensorflow:tensorflow-lite-gpu:2.16.1@aar")
    implementation("org.tensorflow:tensorflow-lite-gpu-api:2.14.0@aar")
}

// Off; never run. -PqualcommRuntime=VERSION adds Qualcomm's runtime, see docs/npus.md.
providers.gradleProperty("qualcommRuntime").orNull?.let { version ->
    dependencies {
        implementation("com.qualcomm.qti:qnn-runtime:$version")
        implementation("com.qualcomm.qti:qnn-litert-delegate:$version")
    }
}
