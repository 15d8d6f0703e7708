<?php
// Answers the requests on standard input by calling the method of Driver that each
// names.
declare(strict_types=1);

ini_set('display_errors', 'stderr');
$driver = new Driver();
while (($line = fgets(STDIN)) !== false) {
    $request = json_decode($line, true);
    $op = $request['op'];
    unset($request['op']);
    try {
        $answer = ['result' => $driver->$op(...$request)];
    } catch (Throwable $error) { // every failure is an answer
        $answer = ['error' => get_class($error) . ': ' . $error->getMessage()];
    }
    fwrite(STDOUT, json_encode($answer, JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_UNICODE) . "\n");
}
