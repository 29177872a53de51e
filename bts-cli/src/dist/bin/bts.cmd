@echo off
rem The command line of bts4j: bts --help
rem BTS_HEAP: the Java heap, 1g if not set; models are outside of it. BTS_JAVA_OPTIONS: more options for Java. JAVA_HOME: which Java.
setlocal
set "home=%~dp0.."
set "java=java"
if defined JAVA_HOME set "java=%JAVA_HOME%\bin\java"
if defined JAVA_HOME if not exist "%java%.exe" goto missing
if not defined JAVA_HOME for %%x in (java.exe) do if "%%~$PATH:x"=="" goto missing
if not defined BTS_HEAP set "BTS_HEAP=1g"
if defined BTS_CLASSPATH set "BTS_CLASSPATH=%BTS_CLASSPATH%;"
set "modules="
for %%c in (quickstart generate chat serve eval experiment bench) do if "%~1"=="%%c" set "modules=--add-modules=jdk.incubator.vector"
if "%~1 %~2"=="inspect --machine" set "modules=--add-modules=jdk.incubator.vector"
"%java%" %modules% -Xmx%BTS_HEAP% -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED %BTS_JAVA_OPTIONS% -cp "%BTS_CLASSPATH%%home%\lib\*" io.github.bts4j.cli.Bts %*
exit /b %errorlevel%
:missing
echo bts: no Java found: install a JDK 17 or later, or set JAVA_HOME to one 1>&2
exit /b 1
