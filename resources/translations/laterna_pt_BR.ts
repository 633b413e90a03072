<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="pt_BR" sourcelanguage="en">
  <context>
    <name>AboutDialog</name>
    <message>
      <source>About Laterna</source>
      <translation>Sobre o Laterna</translation>
    </message>
    <message>
      <source>Device: {name}</source>
      <translation>Dispositivo: {name}</translation>
    </message>
    <message>
      <source>Free software under the GNU General Public License, version 3 or later.</source>
      <translation>Software livre sob a Licença Pública Geral GNU, versão 3 ou posterior.</translation>
    </message>
    <message>
      <source>Pictures and clips from text, on your own machine.</source>
      <translation>Imagens e clipes a partir de texto, no seu próprio computador.</translation>
    </message>
  </context>
  <context>
    <name>Actions</name>
    <message>
      <source>About Laterna</source>
      <translation>Sobre o Laterna</translation>
    </message>
    <message>
      <source>Add to favourites</source>
      <translation>Adicionar aos favoritos</translation>
    </message>
    <message>
      <source>Advanced settings</source>
      <translation>Ajustes avançados</translation>
    </message>
    <message>
      <source>After a start, wait with what is left in the queue</source>
      <translation>Ao iniciar, segurar o que restou na fila</translation>
    </message>
    <message>
      <source>Albums…</source>
      <translation>Álbuns…</translation>
    </message>
    <message>
      <source>Begin the part here</source>
      <translation>Começar o trecho aqui</translation>
    </message>
    <message>
      <source>Cancel the running job</source>
      <translation>Cancelar o trabalho em andamento</translation>
    </message>
    <message>
      <source>Change a part…</source>
      <translation>Mudar uma parte…</translation>
    </message>
    <message>
      <source>Compare</source>
      <translation>Comparar</translation>
    </message>
    <message>
      <source>Copy</source>
      <translation>Copiar</translation>
    </message>
    <message>
      <source>Copy the prompt</source>
      <translation>Copiar o prompt</translation>
    </message>
    <message>
      <source>Dark or light</source>
      <translation>Escuro ou claro</translation>
    </message>
    <message>
      <source>Dark or light as the system</source>
      <translation>Escuro ou claro conforme o sistema</translation>
    </message>
    <message>
      <source>Draw another seed</source>
      <translation>Sortear outra semente</translation>
    </message>
    <message>
      <source>End the part here</source>
      <translation>Terminar o trecho aqui</translation>
    </message>
    <message>
      <source>Every combination of the prompt's alternatives…</source>
      <translation>Todas as combinações das alternativas do prompt…</translation>
    </message>
    <message>
      <source>Every setting of {file} is in the form.</source>
      <translation>Todos os ajustes de {file} estão no formulário.</translation>
    </message>
    <message>
      <source>Examine this machine…</source>
      <translation>Examinar este computador…</translation>
    </message>
    <message>
      <source>Export a part as GIF, WebP or MP4…</source>
      <translation>Exportar um trecho como GIF, WebP ou MP4…</translation>
    </message>
    <message>
      <source>Fit into the view</source>
      <translation>Ajustar à área de visualização</translation>
    </message>
    <message>
      <source>Five stars</source>
      <translation>Cinco estrelas</translation>
    </message>
    <message>
      <source>Folder for new files…</source>
      <translation>Pasta dos novos arquivos…</translation>
    </message>
    <message>
      <source>Four stars</source>
      <translation>Quatro estrelas</translation>
    </message>
    <message>
      <source>Generate</source>
      <translation>Gerar</translation>
    </message>
    <message>
      <source>Get it in Models…</source>
      <translation>Obter em Modelos…</translation>
    </message>
    <message>
      <source>Go on with the queue</source>
      <translation>Continuar a fila</translation>
    </message>
    <message>
      <source>Go to the prompt</source>
      <translation>Ir para o prompt</translation>
    </message>
    <message>
      <source>Its settings are in the form, for {model}.</source>
      <translation>Os ajustes estão no formulário, para {model}.</translation>
    </message>
    <message>
      <source>Keyboard shortcuts</source>
      <translation>Atalhos de teclado</translation>
    </message>
    <message>
      <source>Laterna</source>
      <translation>Laterna</translation>
    </message>
    <message>
      <source>Make</source>
      <translation>Criar</translation>
    </message>
    <message>
      <source>Make clips</source>
      <translation>Criar clipes</translation>
    </message>
    <message>
      <source>Make images</source>
      <translation>Criar imagens</translation>
    </message>
    <message>
      <source>Make larger…</source>
      <translation>Ampliar…</translation>
    </message>
    <message>
      <source>Make smoother…</source>
      <translation>Tornar mais fluido…</translation>
    </message>
    <message>
      <source>Menu</source>
      <translation>Menu</translation>
    </message>
    <message>
      <source>Models…</source>
      <translation>Modelos…</translation>
    </message>
    <message>
      <source>Move to the trash</source>
      <translation>Mover para a lixeira</translation>
    </message>
    <message>
      <source>Next in the gallery</source>
      <translation>Próximo na galeria</translation>
    </message>
    <message>
      <source>No rating</source>
      <translation>Sem avaliação</translation>
    </message>
    <message>
      <source>One pixel for one</source>
      <translation>Um pixel por um</translation>
    </message>
    <message>
      <source>One star</source>
      <translation>Uma estrela</translation>
    </message>
    <message>
      <source>Open the folder of new files</source>
      <translation>Abrir a pasta dos novos arquivos</translation>
    </message>
    <message>
      <source>Open the folder of wildcards</source>
      <translation>Abrir a pasta dos curingas</translation>
    </message>
    <message>
      <source>Pause the queue</source>
      <translation>Pausar a fila</translation>
    </message>
    <message>
      <source>Picture or clip</source>
      <translation>Imagem ou clipe</translation>
    </message>
    <message>
      <source>Play all of it again</source>
      <translation>Reproduzir tudo de novo</translation>
    </message>
    <message>
      <source>Play or pause</source>
      <translation>Reproduzir ou pausar</translation>
    </message>
    <message>
      <source>Previous in the gallery</source>
      <translation>Anterior na galeria</translation>
    </message>
    <message>
      <source>Put Automatic1111's settings into PNGs too</source>
      <translation>Gravar também os ajustes do Automatic1111 nos PNGs</translation>
    </message>
    <message>
      <source>Put back from the trash</source>
      <translation>Tirar da lixeira</translation>
    </message>
    <message>
      <source>Quit</source>
      <translation>Sair</translation>
    </message>
    <message>
      <source>Rating</source>
      <translation>Avaliação</translation>
    </message>
    <message>
      <source>Remove from favourites</source>
      <translation>Remover dos favoritos</translation>
    </message>
    <message>
      <source>Restart the engine</source>
      <translation>Reiniciar o motor</translation>
    </message>
    <message>
      <source>Reuse the recipe of a file…</source>
      <translation>Reutilizar a receita de um arquivo…</translation>
    </message>
    <message>
      <source>Save a copy…</source>
      <translation>Salvar uma cópia…</translation>
    </message>
    <message>
      <source>Save a report…</source>
      <translation>Salvar um relatório…</translation>
    </message>
    <message>
      <source>Save the frame shown…</source>
      <translation>Salvar o quadro mostrado…</translation>
    </message>
    <message>
      <source>Search</source>
      <translation>Pesquisar</translation>
    </message>
    <message>
      <source>Settings…</source>
      <translation>Configurações…</translation>
    </message>
    <message>
      <source>Show in its folder</source>
      <translation>Mostrar na pasta</translation>
    </message>
    <message>
      <source>Show or hide the queue</source>
      <translation>Mostrar ou ocultar a fila</translation>
    </message>
    <message>
      <source>Show or hide the recipe</source>
      <translation>Mostrar ou ocultar a receita</translation>
    </message>
    <message>
      <source>Show the picture while it forms</source>
      <translation>Mostrar a imagem enquanto se forma</translation>
    </message>
    <message>
      <source>Start from this picture</source>
      <translation>Partir desta imagem</translation>
    </message>
    <message>
      <source>Styles…</source>
      <translation>Estilos…</translation>
    </message>
    <message>
      <source>Tags…</source>
      <translation>Etiquetas…</translation>
    </message>
    <message>
      <source>Take out everything that waits</source>
      <translation>Retirar tudo o que está esperando</translation>
    </message>
    <message>
      <source>The model's own value for this field</source>
      <translation>O valor do próprio modelo para este campo</translation>
    </message>
    <message>
      <source>Three stars</source>
      <translation>Três estrelas</translation>
    </message>
    <message>
      <source>Two stars</source>
      <translation>Duas estrelas</translation>
    </message>
    <message>
      <source>Undo</source>
      <translation>Desfazer</translation>
    </message>
    <message>
      <source>Undo {what}</source>
      <translation>Desfazer {what}</translation>
    </message>
    <message>
      <source>Use only its seed</source>
      <translation>Usar só a semente</translation>
    </message>
    <message>
      <source>Use this recipe</source>
      <translation>Usar esta receita</translation>
    </message>
    <message>
      <source>Variations…</source>
      <translation>Variações…</translation>
    </message>
    <message>
      <source>View</source>
      <translation>Visualização</translation>
    </message>
    <message>
      <source>Your prompts…</source>
      <translation>Seus prompts…</translation>
    </message>
    <message>
      <source>Zoom in</source>
      <translation>Ampliar</translation>
    </message>
    <message>
      <source>Zoom out</source>
      <translation>Reduzir</translation>
    </message>
    <message>
      <source>dropping text</source>
      <translation>soltar o texto</translation>
    </message>
    <message>
      <source>restoring the recipe</source>
      <translation>restaurar a receita</translation>
    </message>
    <message>
      <source>{file} was made with {model}, which is not on this machine.</source>
      <translation>{file} foi feito com {model}, que não está neste computador.</translation>
    </message>
  </context>
  <context>
    <name>Advanced</name>
    <message>
      <source>8-bit weights</source>
      <translation>pesos de 8 bits</translation>
    </message>
    <message>
      <source>Guidance</source>
      <translation>Orientação</translation>
    </message>
    <message>
      <source>LoRA</source>
      <translation>LoRA</translation>
    </message>
    <message>
      <source>Negative</source>
      <translation>Negativo</translation>
    </message>
    <message>
      <source>Negative prompt from, as a fraction of the schedule</source>
      <translation>Prompt negativo desde, como fração do cronograma</translation>
    </message>
    <message>
      <source>Negative prompt to, as a fraction of the schedule</source>
      <translation>Prompt negativo até, como fração do cronograma</translation>
    </message>
    <message>
      <source>Part</source>
      <translation>Parte</translation>
    </message>
    <message>
      <source>Prompts over the steps</source>
      <translation>Prompts ao longo dos passos</translation>
    </message>
    <message>
      <source>Sampler</source>
      <translation>Amostrador</translation>
    </message>
    <message>
      <source>Schedule</source>
      <translation>Cronograma</translation>
    </message>
    <message>
      <source>Scheduler</source>
      <translation>Agendador</translation>
    </message>
    <message>
      <source>Shift</source>
      <translation>Shift</translation>
    </message>
    <message>
      <source>Speed</source>
      <translation>Velocidade</translation>
    </message>
    <message>
      <source>Text encoders</source>
      <translation>Codificadores de texto</translation>
    </message>
    <message>
      <source>Timestep shift</source>
      <translation>Deslocamento dos passos de tempo</translation>
    </message>
    <message>
      <source>Weights</source>
      <translation>Pesos</translation>
    </message>
    <message>
      <source>fewer steps computed</source>
      <translation>menos passos calculados</translation>
    </message>
    <message>
      <source>from a picture</source>
      <translation>a partir de uma imagem</translation>
    </message>
    <message>
      <source>negative {start} to {end}</source>
      <translation>negativo {start} a {end}</translation>
    </message>
    <message>
      <source>several prompts</source>
      <translation>vários prompts</translation>
    </message>
    <message>
      <source>shift {value}</source>
      <translation>deslocamento {value}</translation>
    </message>
  </context>
  <context>
    <name>AlbumDrop</name>
    <message>
      <source>Albums</source>
      <translation>Álbuns</translation>
    </message>
    <message>
      <source>Into “{0}”</source>
      <translation>Em “{0}”</translation>
    </message>
    <message>
      <source>New album…</source>
      <translation>Novo álbum…</translation>
    </message>
  </context>
  <context>
    <name>AxisRow</name>
    <message>
      <source>Its values</source>
      <translation>Seus valores</translation>
    </message>
    <message>
      <source>Setting to vary</source>
      <translation>Ajuste a variar</translation>
    </message>
    <message>
      <source>Texts with | between them; each may have alternatives in braces of its own</source>
      <translation>Textos separados por |; cada um pode ter suas próprias alternativas entre chaves</translation>
    </message>
    <message>
      <source>Values with commas between them, ranges as 3..7, 3..7 +0.5 or 3..7 x5, seeds also as x8</source>
      <translation>Valores separados por vírgulas, intervalos como 3..7, 3..7 +0.5 ou 3..7 x5, sementes também como x8</translation>
    </message>
    <message>
      <source>{count} combinations</source>
      <translation>{count} combinações</translation>
    </message>
  </context>
  <context>
    <name>Canvas</name>
    <message>
      <source>View</source>
      <translation>Visualização</translation>
    </message>
  </context>
  <context>
    <name>Captions</name>
    <message>
      <source>Untitled</source>
      <translation>Sem título</translation>
    </message>
    <message>
      <source>clip</source>
      <translation>clipe</translation>
    </message>
    <message>
      <source>favourite</source>
      <translation>favorito</translation>
    </message>
    <message>
      <source>file missing</source>
      <translation>arquivo ausente</translation>
    </message>
    <message>
      <source>in the trash</source>
      <translation>na lixeira</translation>
    </message>
    <message>
      <source>not in the trash any more</source>
      <translation>não está mais na lixeira</translation>
    </message>
    <message>
      <source>picture</source>
      <translation>imagem</translation>
    </message>
    <message>
      <source>tags: {0}</source>
      <translation>etiquetas: {0}</translation>
    </message>
    <message>
      <source>{0} by {1} pixels</source>
      <translation>{0} por {1} pixels</translation>
    </message>
    <message>
      <source>{0} frames a second</source>
      <translation>{0} quadros por segundo</translation>
    </message>
    <message>
      <source>{0} of 5 stars</source>
      <translation>{0} de 5 estrelas</translation>
    </message>
    <message>
      <source>{0} times as large</source>
      <translation>{0} vezes maior</translation>
    </message>
    <message>
      <source>{0} times as large by {1}</source>
      <translation>{0} vezes maior por {1}</translation>
    </message>
  </context>
  <context>
    <name>Catalogue</name>
    <message>
      <source>0.25 to 2 megapixels</source>
      <translation>0,25 a 2 megapixels</translation>
    </message>
    <message>
      <source>2.5 billion parameters, 0.25 to 2 megapixels.</source>
      <translation>2,5 bilhões de parâmetros, de 0,25 a 2 megapixels.</translation>
    </message>
    <message>
      <source>2.5 billion parameters.</source>
      <translation>2,5 bilhões de parâmetros.</translation>
    </message>
    <message>
      <source>5 or 10 s at 16 frames a second</source>
      <translation>5 ou 10 s a 16 quadros por segundo</translation>
    </message>
    <message>
      <source>6 s at 8 frames a second</source>
      <translation>6 s a 8 quadros por segundo</translation>
    </message>
    <message>
      <source>8 billion parameters, about one megapixel.</source>
      <translation>8 bilhões de parâmetros, cerca de um megapixel.</translation>
    </message>
    <message>
      <source>8 billion parameters, the finest.</source>
      <translation>8 bilhões de parâmetros, o mais refinado.</translation>
    </message>
    <message>
      <source>As Laterna Mini Image, 4 steps without guidance: 73 things (red apple, owl, rocket, house, …) in a fraction of a second.</source>
      <translation>Como o Laterna Mini Image, 4 passos sem orientação: 73 coisas (maçã vermelha, coruja, foguete, casa, …) em uma fração de segundo.</translation>
    </message>
    <message>
      <source>Commercial use needs a registration with Zhipu AI, and ends at one million visits a month.</source>
      <translation>O uso comercial exige registro na Zhipu AI e vai até um milhão de visitas por mês.</translation>
    </message>
    <message>
      <source>Draws 73 things (red apple, owl, rocket, house, …) where you say, on 24 backgrounds, in seconds on any computer.</source>
      <translation>Desenha 73 coisas (maçã vermelha, coruja, foguete, casa, …) onde você disser, sobre 24 fundos, em segundos em qualquer computador.</translation>
    </message>
    <message>
      <source>Finer than 2B.</source>
      <translation>Mais refinado que o 2B.</translation>
    </message>
    <message>
      <source>Five or ten seconds at 1360 × 768.</source>
      <translation>Cinco ou dez segundos a 1360 × 768.</translation>
    </message>
    <message>
      <source>Free below US$ 1 million of yearly revenue.</source>
      <translation>Gratuito abaixo de US$ 1 milhão de receita anual.</translation>
    </message>
    <message>
      <source>Free for academic research.</source>
      <translation>Gratuito para pesquisa acadêmica.</translation>
    </message>
    <message>
      <source>Free for any use, commercial use included. Passed-on copies keep the licence and its notices.</source>
      <translation>Gratuito para qualquer uso, inclusive comercial. Cópias repassadas mantêm a licença e seus avisos.</translation>
    </message>
    <message>
      <source>Free for any use.</source>
      <translation>Gratuito para qualquer uso.</translation>
    </message>
    <message>
      <source>Free for research, for non-commercial use, and for commercial use by people and organisations with less than US$ 1 million of yearly revenue. Above that a licence from Stability AI is needed.</source>
      <translation>Gratuito para pesquisa, para uso não comercial e para uso comercial por pessoas e organizações com menos de US$ 1 milhão de receita anual. Acima disso é preciso uma licença da Stability AI.</translation>
    </message>
    <message>
      <source>Free for research; commercial use needs registration.</source>
      <translation>Gratuito para pesquisa; o uso comercial exige registro.</translation>
    </message>
    <message>
      <source>Large in four steps: fast.</source>
      <translation>O Large em quatro passos: rápido.</translation>
    </message>
    <message>
      <source>Large, distilled: four steps, no guidance.</source>
      <translation>O Large destilado: quatro passos, sem orientação.</translation>
    </message>
    <message>
      <source>Larger and longer.</source>
      <translation>Maior e mais longo.</translation>
    </message>
    <message>
      <source>Moves a picture, larger and longer.</source>
      <translation>Anima uma imagem, maior e mais longo.</translation>
    </message>
    <message>
      <source>Moves a picture.</source>
      <translation>Anima uma imagem.</translation>
    </message>
    <message>
      <source>Moves a picture: five or ten seconds at up to 1360 × 768.</source>
      <translation>Anima uma imagem: cinco ou dez segundos a até 1360 × 768.</translation>
    </message>
    <message>
      <source>Moves a picture: six seconds at 720 × 480.</source>
      <translation>Anima uma imagem: seis segundos a 720 × 480.</translation>
    </message>
    <message>
      <source>Moves one of 32 things (red apple, owl, rocket, house, …) left, right, up or down, in short clips.</source>
      <translation>Move uma de 32 coisas (maçã vermelha, coruja, foguete, casa, …) para a esquerda, a direita, cima ou baixo, em clipes curtos.</translation>
    </message>
    <message>
      <source>Six seconds at 720 × 480, finer than 2B.</source>
      <translation>Seis segundos a 720 × 480, mais refinado que o 2B.</translation>
    </message>
    <message>
      <source>Six seconds at 720 × 480.</source>
      <translation>Seis segundos a 720 × 480.</translation>
    </message>
    <message>
      <source>Stability AI's acceptable use policy applies.</source>
      <translation>Vale a política de uso aceitável da Stability AI.</translation>
    </message>
    <message>
      <source>The model's page asks you to accept the licence there too, with your account.</source>
      <translation>A página do modelo também pede que você aceite a licença lá, com a sua conta.</translation>
    </message>
    <message>
      <source>The small one.</source>
      <translation>O pequeno.</translation>
    </message>
    <message>
      <source>What imported files lack: tokenizers, text encoders, the VAE.</source>
      <translation>O que falta nos arquivos importados: tokenizadores, codificadores de texto, o VAE.</translation>
    </message>
    <message>
      <source>What you make with the model is yours.</source>
      <translation>O que você cria com o modelo é seu.</translation>
    </message>
    <message>
      <source>about 1 megapixel</source>
      <translation>cerca de 1 megapixel</translation>
    </message>
  </context>
  <context>
    <name>Chosen</name>
    <message>
      <source>Pictures and clips</source>
      <translation>Imagens e clipes</translation>
    </message>
  </context>
  <context>
    <name>ClipDecoder</name>
    <message>
      <source>This clip cannot be played. Get a fresh copy of it.</source>
      <translation>Este clipe não pode ser reproduzido. Obtenha uma nova cópia.</translation>
    </message>
    <message>
      <source>This clip is damaged after frame {0}. Get a fresh copy of it.</source>
      <translation>Este clipe está danificado depois do quadro {0}. Obtenha uma nova cópia.</translation>
    </message>
    <message>
      <source>This clip is damaged: it has no frames. Get a fresh copy of it.</source>
      <translation>Este clipe está danificado: não tem quadros. Obtenha uma nova cópia.</translation>
    </message>
  </context>
  <context>
    <name>CompareCell</name>
    <message>
      <source>{0} cannot be shown.</source>
      <translation>{0} não pode ser mostrado.</translation>
    </message>
  </context>
  <context>
    <name>CompareView</name>
    <message>
      <source>Comparison</source>
      <translation>Comparação</translation>
    </message>
    <message>
      <source>Different: {names}</source>
      <translation>Diferente: {names}</translation>
    </message>
    <message>
      <source>Done</source>
      <translation>Concluir</translation>
    </message>
    <message>
      <source>Esc</source>
      <translation>Esc</translation>
    </message>
    <message>
      <source>How to compare</source>
      <translation>Como comparar</translation>
    </message>
    <message>
      <source>Side by side</source>
      <translation>Lado a lado</translation>
    </message>
    <message>
      <source>Slider</source>
      <translation>Divisor</translation>
    </message>
  </context>
  <context>
    <name>Comparing</name>
    <message>
      <source>Choose two to four results in the gallery (Ctrl+click), then compare.</source>
      <translation>Escolha de dois a quatro resultados na galeria (Ctrl+clique), depois compare.</translation>
    </message>
  </context>
  <context>
    <name>ConditioningEditor</name>
    <message>
      <source>Negative prompts</source>
      <translation>Negativos</translation>
    </message>
    <message>
      <source>Negative {number}</source>
      <translation>Negativo {number}</translation>
    </message>
    <message>
      <source>Prompt {number}</source>
      <translation>Prompt {number}</translation>
    </message>
    <message>
      <source>Prompts</source>
      <translation>Prompts</translation>
    </message>
    <message>
      <source>own settings</source>
      <translation>ajustes próprios</translation>
    </message>
    <message>
      <source>{count} negative</source>
      <translation>{count} negativos</translation>
    </message>
    <message>
      <source>{count} prompts</source>
      <translation>{count} prompts</translation>
    </message>
  </context>
  <context>
    <name>CounterLabel</name>
    <message>
      <source>1 word</source>
      <translation>1 palavra</translation>
    </message>
    <message>
      <source>up to “…{words}”</source>
      <translation>até “…{words}”</translation>
    </message>
    <message>
      <source>{count} / {most} characters</source>
      <translation>{count} / {most} caracteres</translation>
    </message>
    <message>
      <source>{count} characters</source>
      <translation>{count} caracteres</translation>
    </message>
    <message>
      <source>{count} words</source>
      <translation>{count} palavras</translation>
    </message>
    <message>
      <source>{encoder} reads {count} of at most {limit} tokens</source>
      <translation>{encoder} lê {count} de no máximo {limit} tokens</translation>
    </message>
    <message>
      <source>{encoder} reads {count} tokens</source>
      <translation>{encoder} lê {count} tokens</translation>
    </message>
  </context>
  <context>
    <name>DeletedBar</name>
    <message>
      <source>Clear what is gone</source>
      <translation>Limpar o que sumiu</translation>
    </message>
    <message>
      <source>Put back</source>
      <translation>Devolver</translation>
    </message>
    <message>
      <source>Put back {count}</source>
      <translation>Devolver {count}</translation>
    </message>
    <message>
      <source>Takes off the list what is not in the trash any more, its recipe too</source>
      <translation>Tira da lista o que não está mais na lixeira, e também a receita</translation>
    </message>
    <message>
      <source>These files are in the system's trash until that is emptied. Their recipes stay here.</source>
      <translation>Estes arquivos estão na lixeira do sistema até que ela seja esvaziada. As receitas continuam aqui.</translation>
    </message>
    <message>
      <source>What is chosen goes back to where it was</source>
      <translation>O que está escolhido volta para onde estava</translation>
    </message>
  </context>
  <context>
    <name>Dialogs</name>
    <message>
      <source>Folder for new files</source>
      <translation>Pasta dos novos arquivos</translation>
    </message>
    <message>
      <source>Pictures, clips, workflows</source>
      <translation>Imagens, clipes, fluxos de trabalho</translation>
    </message>
    <message>
      <source>Reuse the recipe of a file</source>
      <translation>Reutilizar a receita de um arquivo</translation>
    </message>
  </context>
  <context>
    <name>DropTargets</name>
    <message>
      <source>Every setting that made it comes into the form.</source>
      <translation>Todas as configurações com que foi feita vêm para o formulário.</translation>
    </message>
    <message>
      <source>Import as a model</source>
      <translation>Importar como modelo</translation>
    </message>
    <message>
      <source>It changes what the chosen model draws.</source>
      <translation>Muda o que o modelo escolhido desenha.</translation>
    </message>
    <message>
      <source>It stays where it is; nothing is copied.</source>
      <translation>Fica onde está; nada é copiado.</translation>
    </message>
    <message>
      <source>Reuse its recipe</source>
      <translation>Reutilizar a receita</translation>
    </message>
    <message>
      <source>Start from this picture</source>
      <translation>Partir desta imagem</translation>
    </message>
    <message>
      <source>Use as a LoRA</source>
      <translation>Usar como LoRA</translation>
    </message>
    <message>
      <source>What you make next starts from it.</source>
      <translation>O que você fizer a seguir começa por ela.</translation>
    </message>
  </context>
  <context>
    <name>DropZone</name>
    <message>
      <source>Drop an image or clip to reuse its recipe</source>
      <translation>Solte um arquivo para reutilizar a receita</translation>
    </message>
    <message>
      <source>Or click to choose a file</source>
      <translation>Ou clique para escolher um arquivo</translation>
    </message>
  </context>
  <context>
    <name>Drops</name>
    <message>
      <source>Drop a PNG or MP4 that Laterna made, or a text.</source>
      <translation>Solte um PNG ou MP4 feito no Laterna, ou um texto.</translation>
    </message>
    <message>
      <source>Save it first, then drop the file.</source>
      <translation>Salve primeiro, depois solte o arquivo.</translation>
    </message>
    <message>
      <source>That is an address, not a file on this machine.</source>
      <translation>Isso é um endereço, não um arquivo deste computador.</translation>
    </message>
    <message>
      <source>There is nothing to use in what was dropped.</source>
      <translation>Não há nada aproveitável no que foi solto.</translation>
    </message>
  </context>
  <context>
    <name>EmptyState</name>
    <message>
      <source>Describe a picture in the prompt and press Generate. Everything you make appears here.</source>
      <translation>Descreva uma imagem no prompt e pressione Gerar. Tudo o que você criar aparece aqui.</translation>
    </message>
    <message>
      <source>No favourites yet</source>
      <translation>Nenhum favorito ainda</translation>
    </message>
    <message>
      <source>Nothing here yet</source>
      <translation>Nada aqui ainda</translation>
    </message>
    <message>
      <source>Nothing matches “{0}”</source>
      <translation>Nada corresponde a “{0}”</translation>
    </message>
    <message>
      <source>Nothing of this kind yet</source>
      <translation>Nada deste tipo ainda</translation>
    </message>
    <message>
      <source>Nothing was deleted</source>
      <translation>Nada foi excluído</translation>
    </message>
    <message>
      <source>Press the star above a picture to keep it here.</source>
      <translation>Pressione a estrela acima de uma imagem para guardá-la aqui.</translation>
    </message>
    <message>
      <source>Show everything</source>
      <translation>Mostrar tudo</translation>
    </message>
    <message>
      <source>Try fewer words, or another filter.</source>
      <translation>Tente menos palavras, ou outro filtro.</translation>
    </message>
    <message>
      <source>What you delete goes to the system's trash, and can be put back from here until that is emptied.</source>
      <translation>O que você exclui vai para a lixeira do sistema e pode ser devolvido daqui até que ela seja esvaziada.</translation>
    </message>
  </context>
  <context>
    <name>Enlarging</name>
    <message>
      <source>How much larger</source>
      <translation>Quanto ampliar</translation>
    </message>
    <message>
      <source>Lanczos: invents nothing</source>
      <translation>Lanczos: não inventa nada</translation>
    </message>
    <message>
      <source>{scale} times: too large</source>
      <translation>{scale} vezes: grande demais</translation>
    </message>
    <message>
      <source>{scale} times: {count} files</source>
      <translation>{scale} vezes: {count} arquivos</translation>
    </message>
    <message>
      <source>{scale} times: {width} × {height}</source>
      <translation>{scale} vezes: {width} × {height}</translation>
    </message>
  </context>
  <context>
    <name>EntryCard</name>
    <message>
      <source>Another text for CLIP-G</source>
      <translation>Outro texto para o CLIP-G</translation>
    </message>
    <message>
      <source>Another text for CLIP-L</source>
      <translation>Outro texto para o CLIP-L</translation>
    </message>
    <message>
      <source>Average with another text</source>
      <translation>Média com outro texto</translation>
    </message>
    <message>
      <source>CLIP texts</source>
      <translation>Textos do CLIP</translation>
    </message>
    <message>
      <source>Its own text</source>
      <translation>Seu próprio texto</translation>
    </message>
    <message>
      <source>Strength</source>
      <translation>Intensidade</translation>
    </message>
    <message>
      <source>Text for CLIP-G</source>
      <translation>Texto para o CLIP-G</translation>
    </message>
    <message>
      <source>Text for CLIP-L</source>
      <translation>Texto para o CLIP-L</translation>
    </message>
    <message>
      <source>The text is not read; the model is told zeros of its length.</source>
      <translation>O texto não é lido; o modelo recebe zeros do mesmo comprimento.</translation>
    </message>
    <message>
      <source>Zeros in its place</source>
      <translation>Zeros no lugar</translation>
    </message>
    <message>
      <source>averaged</source>
      <translation>em média</translation>
    </message>
    <message>
      <source>reads the prompt above</source>
      <translation>lê o prompt acima</translation>
    </message>
    <message>
      <source>zeros</source>
      <translation>zeros</translation>
    </message>
    <message>
      <source>{name}: from, as a fraction of the schedule</source>
      <translation>{name}: desde, como fração do cronograma</translation>
    </message>
    <message>
      <source>{name}: more settings</source>
      <translation>{name}: mais ajustes</translation>
    </message>
    <message>
      <source>{name}: strength</source>
      <translation>{name}: intensidade</translation>
    </message>
    <message>
      <source>{name}: take it out</source>
      <translation>{name}: retirar</translation>
    </message>
    <message>
      <source>{name}: text</source>
      <translation>{name}: texto</translation>
    </message>
    <message>
      <source>{name}: to, as a fraction of the schedule</source>
      <translation>{name}: até, como fração do cronograma</translation>
    </message>
  </context>
  <context>
    <name>ExaminationDialog</name>
    <message>
      <source>Copy</source>
      <translation>Copiar</translation>
    </message>
    <message>
      <source>Everything is in order.</source>
      <translation>Está tudo em ordem.</translation>
    </message>
    <message>
      <source>Look again</source>
      <translation>Examinar de novo</translation>
    </message>
    <message>
      <source>Looked for {seconds} s.</source>
      <translation>Exame de {seconds} s.</translation>
    </message>
    <message>
      <source>Looking at: {topic}</source>
      <translation>Examinando: {topic}</translation>
    </message>
    <message>
      <source>This machine</source>
      <translation>Este computador</translation>
    </message>
    <message>
      <source>To be mended: {count}.</source>
      <translation>A consertar: {count}.</translation>
    </message>
    <message>
      <source>Try whether the model hub is reached, too</source>
      <translation>Testar também se o hub de modelos é alcançado</translation>
    </message>
    <message>
      <source>What is here, what is wrong with it, and what mends it. Nothing is sent.</source>
      <translation>O que há aqui, o que está errado e o que conserta. Nada é enviado.</translation>
    </message>
  </context>
  <context>
    <name>ExamplesButton</name>
    <message>
      <source>Examples for this model</source>
      <translation>Exemplos para este modelo</translation>
    </message>
    <message>
      <source>Surprise me</source>
      <translation>Surpreenda-me</translation>
    </message>
    <message>
      <source>Words that {model} knows</source>
      <translation>Palavras que {model} conhece</translation>
    </message>
    <message>
      <source>Words this model knows…</source>
      <translation>Palavras que este modelo conhece…</translation>
    </message>
  </context>
  <context>
    <name>ExportDialog</name>
    <message>
      <source>Add a clip…</source>
      <translation>Acrescentar um clipe…</translation>
    </message>
    <message>
      <source>Add clips</source>
      <translation>Acrescentar clipes</translation>
    </message>
    <message>
      <source>Backwards</source>
      <translation>De trás para a frente</translation>
    </message>
    <message>
      <source>Clips ({endings})</source>
      <translation>Clipes ({endings})</translation>
    </message>
    <message>
      <source>Export the clip</source>
      <translation>Exportar o clipe</translation>
    </message>
    <message>
      <source>Export…</source>
      <translation>Exportar…</translation>
    </message>
    <message>
      <source>Format</source>
      <translation>Formato</translation>
    </message>
    <message>
      <source>GIF: loops by itself, 256 colours</source>
      <translation>GIF: repete sozinho, 256 cores</translation>
    </message>
    <message>
      <source>How many times</source>
      <translation>Quantas vezes</translation>
    </message>
    <message>
      <source>It comes after this one, at this one's size; what both show comes once.</source>
      <translation>Vem depois deste, no tamanho deste; o que ambos mostram vem uma vez.</translation>
    </message>
    <message>
      <source>MP4: small, plays everywhere</source>
      <translation>MP4: pequeno, abre em qualquer lugar</translation>
    </message>
    <message>
      <source>Part</source>
      <translation>Trecho</translation>
    </message>
    <message>
      <source>Progress of the export</source>
      <translation>Progresso da exportação</translation>
    </message>
    <message>
      <source>Saved as {0}.</source>
      <translation>Salvo como {0}.</translation>
    </message>
    <message>
      <source>Size</source>
      <translation>Tamanho</translation>
    </message>
    <message>
      <source>Speed</source>
      <translation>Velocidade</translation>
    </message>
    <message>
      <source>Then</source>
      <translation>Depois</translation>
    </message>
    <message>
      <source>Times</source>
      <translation>Vezes</translation>
    </message>
    <message>
      <source>To and fro</source>
      <translation>Ida e volta</translation>
    </message>
    <message>
      <source>WebP: loops by itself, fine colours</source>
      <translation>WebP: repete sozinho, cores finas</translation>
    </message>
    <message>
      <source>all clips, whole</source>
      <translation>todos os clipes, inteiros</translation>
    </message>
    <message>
      <source>frames {first} to {last}</source>
      <translation>quadros {first} a {last}</translation>
    </message>
    <message>
      <source>the whole clip</source>
      <translation>o clipe inteiro</translation>
    </message>
  </context>
  <context>
    <name>Feed</name>
    <message>
      <source>It is running again.</source>
      <translation>Está funcionando de novo.</translation>
    </message>
    <message>
      <source>Restart the engine</source>
      <translation>Reiniciar o motor</translation>
    </message>
    <message>
      <source>Show report</source>
      <translation>Mostrar relatório</translation>
    </message>
  </context>
  <context>
    <name>FieldHelp</name>
    <message>
      <source>A picture to draw over, in place of beginning with noise.</source>
      <translation>Uma imagem sobre a qual desenhar, em vez de começar do ruído.</translation>
    </message>
    <message>
      <source>During which part of the steps the negative prompt holds.</source>
      <translation>Em que parte dos passos o prompt negativo vale.</translation>
    </message>
    <message>
      <source>Higher values spend more of the steps on the large shapes, lower ones on details.</source>
      <translation>Valores maiores dedicam mais passos às formas grandes; menores, aos detalhes.</translation>
    </message>
    <message>
      <source>How exactly the model's numbers are kept. Smaller ones need less memory.</source>
      <translation>Com que exatidão os números do modelo são guardados. Os menores usam menos memória.</translation>
    </message>
    <message>
      <source>How many single pictures the clip has, and how many are shown in a second.</source>
      <translation>Quantas imagens o clipe tem e quantas são mostradas por segundo.</translation>
    </message>
    <message>
      <source>How many to make, each with a seed of its own.</source>
      <translation>Quantas criar, cada uma com a sua semente.</translation>
    </message>
    <message>
      <source>How much of a long prompt the largest text encoder reads.</source>
      <translation>Quanto de um prompt longo o maior codificador de texto lê.</translation>
    </message>
    <message>
      <source>How often the picture is worked over. More steps give more detail and take longer.</source>
      <translation>Quantas vezes a imagem é trabalhada. Mais passos dão mais detalhes e demoram mais.</translation>
    </message>
    <message>
      <source>How strictly the prompt is followed. Too little is vague, too much looks burnt.</source>
      <translation>Com que rigor o prompt é seguido. De menos fica vago; demais parece queimado.</translation>
    </message>
    <message>
      <source>How the masked part is made anew. What is outside of the mask stays as it is.</source>
      <translation>Como a parte mascarada é refeita. O que está fora da máscara fica como está.</translation>
    </message>
    <message>
      <source>How the noise goes down over the steps: early on shapes are found, later details.</source>
      <translation>Como o ruído diminui ao longo dos passos: primeiro surgem as formas, depois os detalhes.</translation>
    </message>
    <message>
      <source>In pixels. Sizes that the model was made for come out best; larger ones take longer.</source>
      <translation>Em pixels. Os tamanhos para os quais o modelo foi feito saem melhor; os maiores demoram mais.</translation>
    </message>
    <message>
      <source>Leaves out work at steps where little changes: faster, and slightly different.</source>
      <translation>Poupa trabalho nos passos em que pouco muda: mais rápido e ligeiramente diferente.</translation>
    </message>
    <message>
      <source>Makes each result larger once it is there, by a network that redraws its edges.</source>
      <translation>Amplia cada resultado assim que fica pronto, com uma rede que redesenha as bordas.</translation>
    </message>
    <message>
      <source>Small files that teach the model a style, a person or a thing.</source>
      <translation>Arquivos pequenos que ensinam ao modelo um estilo, uma pessoa ou uma coisa.</translation>
    </message>
    <message>
      <source>The method by which noise becomes a picture. They differ in speed and a little in their look.</source>
      <translation>O método pelo qual o ruído vira imagem. Diferem em velocidade e um pouco na aparência.</translation>
    </message>
    <message>
      <source>The number that everything begins from by chance: the same number and settings give the same picture.</source>
      <translation>O número de onde parte o acaso: o mesmo número e as mesmas configurações dão a mesma imagem.</translation>
    </message>
    <message>
      <source>What draws the picture or clip. Ctrl+M shows more of them.</source>
      <translation>O que desenha a imagem ou o clipe. Ctrl+M mostra outros.</translation>
    </message>
    <message>
      <source>Whether (words:1.2) in a prompt weigh more, as in ComfyUI, or are plain text.</source>
      <translation>Se (palavras:1.2) em um prompt pesam mais, como no ComfyUI, ou são texto comum.</translation>
    </message>
  </context>
  <context>
    <name>FieldLabel</name>
    <message>
      <source>The model's own: {value}. Click to go back to it (Alt+Home).</source>
      <translation>O valor do modelo: {value}. Clique para voltar a ele (Alt+Home).</translation>
    </message>
  </context>
  <context>
    <name>FileName</name>
    <message>
      <source>{name} means nothing here.</source>
      <translation>{name} não significa nada aqui.</translation>
    </message>
  </context>
  <context>
    <name>Filters</name>
    <message>
      <source> and more</source>
      <translation> e mais</translation>
    </message>
    <message>
      <source>Album</source>
      <translation>Álbum</translation>
    </message>
    <message>
      <source>Any model</source>
      <translation>Qualquer modelo</translation>
    </message>
    <message>
      <source>Any rating</source>
      <translation>Qualquer avaliação</translation>
    </message>
    <message>
      <source>Any tag or none</source>
      <translation>Qualquer etiqueta ou nenhuma</translation>
    </message>
    <message>
      <source>Any time</source>
      <translation>Qualquer data</translation>
    </message>
    <message>
      <source>Clear all filters</source>
      <translation>Limpar todos os filtros</translation>
    </message>
    <message>
      <source>Filter and group</source>
      <translation>Filtrar e agrupar</translation>
    </message>
    <message>
      <source>Group by prompt</source>
      <translation>Agrupar por prompt</translation>
    </message>
    <message>
      <source>Grouped by prompt</source>
      <translation>Agrupado por prompt</translation>
    </message>
    <message>
      <source>Last 30 days</source>
      <translation>Últimos 30 dias</translation>
    </message>
    <message>
      <source>Last 7 days</source>
      <translation>Últimos 7 dias</translation>
    </message>
    <message>
      <source>Made</source>
      <translation>Feito</translation>
    </message>
    <message>
      <source>Model</source>
      <translation>Modelo</translation>
    </message>
    <message>
      <source>No matter which</source>
      <translation>Tanto faz</translation>
    </message>
    <message>
      <source>No prompt</source>
      <translation>Sem prompt</translation>
    </message>
    <message>
      <source>Not rated</source>
      <translation>Sem avaliação</translation>
    </message>
    <message>
      <source>Rating</source>
      <translation>Avaliação</translation>
    </message>
    <message>
      <source>Remove the filter: {0}</source>
      <translation>Remover o filtro: {0}</translation>
    </message>
    <message>
      <source>Remove this filter</source>
      <translation>Remover este filtro</translation>
    </message>
    <message>
      <source>Rename or remove…</source>
      <translation>Renomear ou remover…</translation>
    </message>
    <message>
      <source>Tag</source>
      <translation>Etiqueta</translation>
    </message>
    <message>
      <source>This year</source>
      <translation>Este ano</translation>
    </message>
    <message>
      <source>Today</source>
      <translation>Hoje</translation>
    </message>
  </context>
  <context>
    <name>FinishedStrip</name>
    <message>
      <source>Finished</source>
      <translation>Concluídos</translation>
    </message>
    <message>
      <source>The file is not there any more: {0}.</source>
      <translation>O arquivo não está mais lá: {0}.</translation>
    </message>
  </context>
  <context>
    <name>Folder</name>
    <message>
      <source>Choose…</source>
      <translation>Escolher…</translation>
    </message>
  </context>
  <context>
    <name>Folders</name>
    <message>
      <source>Each text file there is a wildcard: __name__ in a prompt draws one of its lines.</source>
      <translation>Cada arquivo de texto ali é um curinga: __nome__ em um prompt sorteia uma das linhas.</translation>
    </message>
    <message>
      <source>New files go to {folder}.</source>
      <translation>Os novos arquivos vão para {folder}.</translation>
    </message>
  </context>
  <context>
    <name>ForecastNote</name>
    <message>
      <source>8-bit weights</source>
      <translation>pesos de 8 bits</translation>
    </message>
    <message>
      <source>About {count} steps are left out: the result differs slightly.</source>
      <translation>Cerca de {count} passos são pulados: o resultado difere um pouco.</translation>
    </message>
    <message>
      <source>It will probably run out of memory. Generate tries it anyway.</source>
      <translation>Provavelmente vai faltar memória. Gerar tenta mesmo assim.</translation>
    </message>
    <message>
      <source>Its weights are kept in 8 bits: pixels differ by about {value} of 255 on average.</source>
      <translation>Seus pesos são guardados em 8 bits: os pixels diferem em média cerca de {value} de 255.</translation>
    </message>
    <message>
      <source>Parts of the model take turns in memory.</source>
      <translation>As partes do modelo se revezam na memória.</translation>
    </message>
    <message>
      <source>Take what would fit</source>
      <translation>Usar o que caberia</translation>
    </message>
    <message>
      <source>Take {change}: it would fit</source>
      <translation>Usar {change}: caberia</translation>
    </message>
    <message>
      <source>The model comes to the card block by block.</source>
      <translation>O modelo vai para a placa bloco a bloco.</translation>
    </message>
    <message>
      <source>The model is read from the disk block by block, which is slow.</source>
      <translation>O modelo é lido do disco bloco a bloco, o que é lento.</translation>
    </message>
    <message>
      <source>The picture is decoded in tiles: their seams are blended.</source>
      <translation>A imagem é decodificada em blocos: as emendas são mescladas.</translation>
    </message>
    <message>
      <source>The time is a first guess; it learns from each run.</source>
      <translation>O tempo é uma primeira estimativa; melhora a cada execução.</translation>
    </message>
    <message>
      <source>The whole model stays in memory.</source>
      <translation>O modelo inteiro fica na memória.</translation>
    </message>
    <message>
      <source>a batch of {count}</source>
      <translation>um lote de {count}</translation>
    </message>
    <message>
      <source>needs {needed} GB, {limit} are free</source>
      <translation>precisa de {needed} GB, há {limit} livres</translation>
    </message>
    <message>
      <source>needs {needed} of {limit} GB · about {time}</source>
      <translation>usa {needed} de {limit} GB · ≈ {time}</translation>
    </message>
    <message>
      <source>no T5 encoder</source>
      <translation>nenhum codificador T5</translation>
    </message>
    <message>
      <source>{count} frames</source>
      <translation>{count} quadros</translation>
    </message>
    <message>
      <source>{one} and {other}</source>
      <translation>{one} e {other}</translation>
    </message>
  </context>
  <context>
    <name>FormNotes</name>
    <message>
      <source>{count} megapixels</source>
      <translation>{count} megapixels</translation>
    </message>
    <message>
      <source>{seconds} s long</source>
      <translation>{seconds} s de duração</translation>
    </message>
  </context>
  <context>
    <name>GalleryHead</name>
    <message>
      <source>All</source>
      <translation>Tudo</translation>
    </message>
    <message>
      <source>Clear the search (Esc)</source>
      <translation>Limpar a pesquisa (Esc)</translation>
    </message>
    <message>
      <source>Clips</source>
      <translation>Clipes</translation>
    </message>
    <message>
      <source>Deleted</source>
      <translation>Excluídos</translation>
    </message>
    <message>
      <source>Favourites</source>
      <translation>Favoritos</translation>
    </message>
    <message>
      <source>Pictures</source>
      <translation>Imagens</translation>
    </message>
    <message>
      <source>Search</source>
      <translation>Pesquisar</translation>
    </message>
    <message>
      <source>Show</source>
      <translation>Mostrar</translation>
    </message>
    <message>
      <source>Words of prompts and tags, model and seed; also “model:mini”, “seed:42”, “date:2026-11”, “tag:owl”, “album:trip”, “rating:4”, “-snow”, “is:favourite”</source>
      <translation>Palavras dos prompts e etiquetas, modelo e semente; também “model:mini”, “seed:42”, “date:2026-11”, “tag:owl”, “album:trip”, “rating:4”, “-snow”, “is:favourite”</translation>
    </message>
  </context>
  <context>
    <name>GalleryPanel</name>
    <message>
      <source>Delete</source>
      <translation>Excluir</translation>
    </message>
    <message>
      <source>Gallery</source>
      <translation>Galeria</translation>
    </message>
    <message>
      <source>Pictures and clips</source>
      <translation>Imagens e clipes</translation>
    </message>
    <message>
      <source>Put back from the trash</source>
      <translation>Tirar da lixeira</translation>
    </message>
    <message>
      <source>Take out of “{0}”</source>
      <translation>Tirar de “{0}”</translation>
    </message>
    <message>
      <source>The file is not there any more: {0}.</source>
      <translation>O arquivo não está mais lá: {0}.</translation>
    </message>
    <message>
      <source>Use this recipe</source>
      <translation>Usar esta receita</translation>
    </message>
  </context>
  <context>
    <name>GeneratePanel</name>
    <message>
      <source>Advanced</source>
      <translation>Avançado</translation>
    </message>
    <message>
      <source>Advanced settings</source>
      <translation>Ajustes avançados</translation>
    </message>
    <message>
      <source>Cancel</source>
      <translation>Cancelar</translation>
    </message>
    <message>
      <source>Cancel the running job</source>
      <translation>Cancelar o trabalho em andamento</translation>
    </message>
    <message>
      <source>Ctrl+Enter</source>
      <translation>Ctrl+Enter</translation>
    </message>
    <message>
      <source>Esc</source>
      <translation>Esc</translation>
    </message>
    <message>
      <source>Generate</source>
      <translation>Gerar</translation>
    </message>
    <message>
      <source>Generate clip</source>
      <translation>Gerar clipe</translation>
    </message>
    <message>
      <source>Generate image</source>
      <translation>Gerar imagem</translation>
    </message>
    <message>
      <source>Generate {count} clips</source>
      <translation>Gerar {count} clipes</translation>
    </message>
    <message>
      <source>Generate {count} images</source>
      <translation>Gerar {count} imagens</translation>
    </message>
    <message>
      <source>Image</source>
      <translation>Imagem</translation>
    </message>
    <message>
      <source>Put back into the queue</source>
      <translation>Devolver à fila</translation>
    </message>
    <message>
      <source>Variations… (Ctrl+Shift+Enter)</source>
      <translation>Variações… (Ctrl+Shift+Enter)</translation>
    </message>
    <message>
      <source>Video</source>
      <translation>Vídeo</translation>
    </message>
    <message>
      <source>Weights are read from now on, as in ComfyUI.</source>
      <translation>A partir de agora os pesos são lidos, como no ComfyUI.</translation>
    </message>
    <message>
      <source>What to make</source>
      <translation>O que criar</translation>
    </message>
  </context>
  <context>
    <name>GuidanceCurve</name>
    <message>
      <source>Drag the points; a double click adds one, a right click takes it away.
Keys: arrows move the chosen point, Page Up and Page Down choose another, Insert adds one, Delete takes it away.</source>
      <translation>Arraste os pontos; um clique duplo adiciona um, um clique direito o remove.
Teclas: as setas movem o ponto escolhido, Page Up e Page Down escolhem outro, Insert adiciona um, Delete o remove.</translation>
    </message>
    <message>
      <source>Point {number} of {count}: {scale} at {at} of the steps</source>
      <translation>Ponto {number} de {count}: {scale} em {at} dos passos</translation>
    </message>
  </context>
  <context>
    <name>GuidanceRows</name>
    <message>
      <source>Change it over the steps</source>
      <translation>Mudar ao longo dos passos</translation>
    </message>
    <message>
      <source>Dynamic guidance</source>
      <translation>Orientação dinâmica</translation>
    </message>
    <message>
      <source>Guidance over the steps</source>
      <translation>Orientação ao longo dos passos</translation>
    </message>
    <message>
      <source>In noise levels</source>
      <translation>Em níveis de ruído</translation>
    </message>
    <message>
      <source>In steps</source>
      <translation>Em passos</translation>
    </message>
    <message>
      <source>Layers</source>
      <translation>Camadas</translation>
    </message>
    <message>
      <source>Layers to skip, by number</source>
      <translation>Camadas a pular, por número</translation>
    </message>
    <message>
      <source>Range</source>
      <translation>Intervalo</translation>
    </message>
    <message>
      <source>Scale</source>
      <translation>Escala</translation>
    </message>
    <message>
      <source>Skip-layer guidance</source>
      <translation>Orientação por salto de camadas</translation>
    </message>
    <message>
      <source>Skip-layer guidance from, as a fraction</source>
      <translation>Orientação por salto de camadas desde, como fração</translation>
    </message>
    <message>
      <source>Skip-layer guidance scale</source>
      <translation>Escala da orientação por salto de camadas</translation>
    </message>
    <message>
      <source>Skip-layer guidance to, as a fraction</source>
      <translation>Orientação por salto de camadas até, como fração</translation>
    </message>
    <message>
      <source>Skip-layer guidance window</source>
      <translation>Janela da orientação por salto de camadas</translation>
    </message>
    <message>
      <source>Window</source>
      <translation>Janela</translation>
    </message>
    <message>
      <source>changes over the steps</source>
      <translation>muda ao longo dos passos</translation>
    </message>
    <message>
      <source>dynamic guidance</source>
      <translation>orientação dinâmica</translation>
    </message>
    <message>
      <source>skip layers</source>
      <translation>salto de camadas</translation>
    </message>
  </context>
  <context>
    <name>HandOver</name>
    <message>
      <source>Copied.</source>
      <translation>Copiado.</translation>
    </message>
    <message>
      <source>Look in the system's trash.</source>
      <translation>Procure na lixeira do sistema.</translation>
    </message>
    <message>
      <source>Prompt copied.</source>
      <translation>Prompt copiado.</translation>
    </message>
    <message>
      <source>{0} is not there any more.</source>
      <translation>{0} não está mais lá.</translation>
    </message>
    <message>
      <source>{count} files copied.</source>
      <translation>{count} arquivos copiados.</translation>
    </message>
  </context>
  <context>
    <name>ImportReport</name>
    <message>
      <source>Close this report</source>
      <translation>Fechar este relatório</translation>
    </message>
    <message>
      <source>Copy this report</source>
      <translation>Copiar este relatório</translation>
    </message>
    <message>
      <source>DIFFERENT HERE</source>
      <translation>DIFERENTE AQUI</translation>
    </message>
    <message>
      <source>Different here</source>
      <translation>Diferente aqui</translation>
    </message>
    <message>
      <source>Get it in Models…</source>
      <translation>Obter em Modelos…</translation>
    </message>
    <message>
      <source>LEFT OUT</source>
      <translation>DEIXADO DE FORA</translation>
    </message>
    <message>
      <source>Left out</source>
      <translation>Deixado de fora</translation>
    </message>
    <message>
      <source>MISSING</source>
      <translation>FALTANDO</translation>
    </message>
    <message>
      <source>Missing</source>
      <translation>Faltando</translation>
    </message>
    <message>
      <source>Open Models…</source>
      <translation>Abrir Modelos…</translation>
    </message>
    <message>
      <source>Report of the import</source>
      <translation>Relatório da importação</translation>
    </message>
    <message>
      <source>Understood</source>
      <translation>Entendido</translation>
    </message>
    <message>
      <source>Understood: {count}</source>
      <translation>Entendido: {count}</translation>
    </message>
    <message>
      <source>{file}, from {program}</source>
      <translation>{file}, de {program}</translation>
    </message>
  </context>
  <context>
    <name>InpaintingRow</name>
    <message>
      <source> px around</source>
      <translation> px em volta</translation>
    </message>
    <message>
      <source> px soft edge</source>
      <translation> px de borda suave</translation>
    </message>
    <message>
      <source>Close up</source>
      <translation>De perto</translation>
    </message>
    <message>
      <source>Pixels around the mask that are seen</source>
      <translation>Pixels vistos em volta da máscara</translation>
    </message>
    <message>
      <source>Width of the soft edge within the mask, in pixels</source>
      <translation>Largura da borda suave dentro da máscara, em pixels</translation>
    </message>
    <message>
      <source>Work on the masked part alone, at the model's full size</source>
      <translation>Trabalhar só na parte mascarada, no tamanho inteiro do modelo</translation>
    </message>
  </context>
  <context>
    <name>InputField</name>
    <message>
      <source>Denoise strength: how much of the picture is drawn anew</source>
      <translation>Força de remoção de ruído: quanto da imagem é redesenhado</translation>
    </message>
    <message>
      <source>Drop or choose a picture</source>
      <translation>Solte ou escolha uma imagem</translation>
    </message>
    <message>
      <source>Mask: {name}</source>
      <translation>Máscara: {name}</translation>
    </message>
    <message>
      <source>Paint the mask</source>
      <translation>Pintar a máscara</translation>
    </message>
    <message>
      <source>Paint…</source>
      <translation>Pintar…</translation>
    </message>
    <message>
      <source>Picture to start from: {name}</source>
      <translation>Imagem inicial: {name}</translation>
    </message>
    <message>
      <source>Pictures ({endings})</source>
      <translation>Imagens ({endings})</translation>
    </message>
    <message>
      <source>Start from a picture</source>
      <translation>Partir de uma imagem</translation>
    </message>
    <message>
      <source>Start without a picture</source>
      <translation>Começar sem imagem</translation>
    </message>
    <message>
      <source>White where it is made anew</source>
      <translation>Branco onde é refeito</translation>
    </message>
    <message>
      <source>Without a mask</source>
      <translation>Sem máscara</translation>
    </message>
  </context>
  <context>
    <name>InputRows</name>
    <message>
      <source>Clip</source>
      <translation>Clipe</translation>
    </message>
    <message>
      <source>Control</source>
      <translation>Controle</translation>
    </message>
    <message>
      <source>End</source>
      <translation>Fim</translation>
    </message>
    <message>
      <source>Like</source>
      <translation>Como</translation>
    </message>
    <message>
      <source>Mask</source>
      <translation>Máscara</translation>
    </message>
    <message>
      <source>Start</source>
      <translation>Início</translation>
    </message>
  </context>
  <context>
    <name>ItemActions</name>
    <message>
      <source>All of it is still in the trash: nothing is off the list.</source>
      <translation>Tudo ainda está na lixeira: nada saiu da lista.</translation>
    </message>
    <message>
      <source>Moved to the trash.</source>
      <translation>Movido para a lixeira.</translation>
    </message>
    <message>
      <source>One is off the list.</source>
      <translation>Um saiu da lista.</translation>
    </message>
    <message>
      <source>Put back.</source>
      <translation>Devolvido.</translation>
    </message>
    <message>
      <source>delete</source>
      <translation>excluir</translation>
    </message>
    <message>
      <source>favourite</source>
      <translation>favorito</translation>
    </message>
    <message>
      <source>putting back</source>
      <translation>devolver</translation>
    </message>
    <message>
      <source>rating</source>
      <translation>avaliação</translation>
    </message>
    <message>
      <source>{count} are not in the trash any more.</source>
      <translation>{count} não estão mais na lixeira.</translation>
    </message>
    <message>
      <source>{count} are off the list.</source>
      <translation>{count} saíram da lista.</translation>
    </message>
    <message>
      <source>{count} files moved to the trash.</source>
      <translation>{count} arquivos movidos para a lixeira.</translation>
    </message>
    <message>
      <source>{count} files put back.</source>
      <translation>{count} arquivos devolvidos.</translation>
    </message>
  </context>
  <context>
    <name>KeptPresets</name>
    <message>
      <source>Kept as “{name}”.</source>
      <translation>Guardado como “{name}”.</translation>
    </message>
    <message>
      <source>Undo</source>
      <translation>Desfazer</translation>
    </message>
    <message>
      <source>“{name}” is removed.</source>
      <translation>“{name}” foi removido.</translation>
    </message>
  </context>
  <context>
    <name>Keys</name>
    <message>
      <source>Choose another suggestion</source>
      <translation>Escolher outra sugestão</translation>
    </message>
    <message>
      <source>Duplicate</source>
      <translation>Duplicar</translation>
    </message>
    <message>
      <source>Edit</source>
      <translation>Editar</translation>
    </message>
    <message>
      <source>End it</source>
      <translation>Encerrar</translation>
    </message>
    <message>
      <source>First and last frame</source>
      <translation>Primeiro e último quadro</translation>
    </message>
    <message>
      <source>Fit; one pixel for one</source>
      <translation>Ajustar; um pixel por um</translation>
    </message>
    <message>
      <source>Frame by frame, or another picture</source>
      <translation>Quadro a quadro, ou outra imagem</translation>
    </message>
    <message>
      <source>In a comparison</source>
      <translation>Em uma comparação</translation>
    </message>
    <message>
      <source>In the prompt</source>
      <translation>No prompt</translation>
    </message>
    <message>
      <source>In the queue</source>
      <translation>Na fila</translation>
    </message>
    <message>
      <source>In the view</source>
      <translation>Na visualização</translation>
    </message>
    <message>
      <source>More weight, less weight</source>
      <translation>Mais peso, menos peso</translation>
    </message>
    <message>
      <source>Move</source>
      <translation>Mover</translation>
    </message>
    <message>
      <source>Move the slider</source>
      <translation>Mover o divisor</translation>
    </message>
    <message>
      <source>Pause or go on</source>
      <translation>Pausar ou continuar</translation>
    </message>
    <message>
      <source>Side by side or slider</source>
      <translation>Lado a lado ou divisor</translation>
    </message>
    <message>
      <source>Take the first suggestion</source>
      <translation>Aceitar a primeira sugestão</translation>
    </message>
    <message>
      <source>Zoom</source>
      <translation>Zoom</translation>
    </message>
  </context>
  <context>
    <name>LabelActions</name>
    <message>
      <source>The album “{0}” is removed; what was in it is still here.</source>
      <translation>O álbum “{0}” foi removido; o que estava nele continua aqui.</translation>
    </message>
    <message>
      <source>The tag “{0}” is removed from everything that had it.</source>
      <translation>A etiqueta “{0}” foi removida de tudo que a tinha.</translation>
    </message>
    <message>
      <source>albums</source>
      <translation>álbuns</translation>
    </message>
    <message>
      <source>tags</source>
      <translation>etiquetas</translation>
    </message>
    <message>
      <source>the album</source>
      <translation>o álbum</translation>
    </message>
    <message>
      <source>the album's name</source>
      <translation>o nome do álbum</translation>
    </message>
    <message>
      <source>the tag</source>
      <translation>a etiqueta</translation>
    </message>
    <message>
      <source>the tag's name</source>
      <translation>o nome da etiqueta</translation>
    </message>
    <message>
      <source>“{name}” is “{new}” now.</source>
      <translation>“{name}” agora é “{new}”.</translation>
    </message>
  </context>
  <context>
    <name>LabelDialog</name>
    <message>
      <source>A name that is there already puts the two together (F2)</source>
      <translation>Um nome que já existe junta os dois (F2)</translation>
    </message>
    <message>
      <source>Add a tag</source>
      <translation>Adicionar uma etiqueta</translation>
    </message>
    <message>
      <source>Add to an album, or make one</source>
      <translation>Adicionar a um álbum, ou criar um</translation>
    </message>
    <message>
      <source>Albums</source>
      <translation>Álbuns</translation>
    </message>
    <message>
      <source>All that there are</source>
      <translation>Todos os que existem</translation>
    </message>
    <message>
      <source>From everything that has it; nothing is deleted (Delete)</source>
      <translation>De tudo que o tem; nada é excluído (Delete)</translation>
    </message>
    <message>
      <source>Of this one</source>
      <translation>Deste</translation>
    </message>
    <message>
      <source>Of {0} pictures and clips</source>
      <translation>De {0} imagens e clipes</translation>
    </message>
    <message>
      <source>Remove</source>
      <translation>Remover</translation>
    </message>
    <message>
      <source>Rename…</source>
      <translation>Renomear…</translation>
    </message>
    <message>
      <source>Tags</source>
      <translation>Etiquetas</translation>
    </message>
  </context>
  <context>
    <name>LeftOutDialog</name>
    <message>
      <source>What was left out</source>
      <translation>O que ficou de fora</translation>
    </message>
  </context>
  <context>
    <name>LengthField</name>
    <message>
      <source> fps</source>
      <translation> qps</translation>
    </message>
    <message>
      <source> frames</source>
      <translation> quadros</translation>
    </message>
    <message>
      <source>Frames per second</source>
      <translation>Quadros por segundo</translation>
    </message>
    <message>
      <source>Longer than the {frames} frames this model was made for.</source>
      <translation>Mais longo que os {frames} quadros para os quais este modelo foi feito.</translation>
    </message>
    <message>
      <source>Number of frames</source>
      <translation>Número de quadros</translation>
    </message>
    <message>
      <source>This model was made for {frames} frames.</source>
      <translation>Este modelo foi feito para {frames} quadros.</translation>
    </message>
    <message>
      <source>{seconds} seconds</source>
      <translation>{seconds} segundos</translation>
    </message>
    <message>
      <source>{step} · N + 1 frames</source>
      <translation>{step} · N + 1 quadros</translation>
    </message>
  </context>
  <context>
    <name>LibraryModel</name>
    <message>
      <source>{0}, being made, {1} percent</source>
      <translation>{0}, em criação, {1} por cento</translation>
    </message>
  </context>
  <context>
    <name>LicenceDialog</name>
    <message>
      <source>Accept and download</source>
      <translation>Aceitar e baixar</translation>
    </message>
    <message>
      <source>I have read the licence and accept it</source>
      <translation>Li a licença e a aceito</translation>
    </message>
    <message>
      <source>What binds is the full text:</source>
      <translation>O que vale é o texto completo:</translation>
    </message>
    <message>
      <source>{model} comes under this licence. In short:</source>
      <translation>{model} vem sob esta licença. Em resumo:</translation>
    </message>
  </context>
  <context>
    <name>LivePreview</name>
    <message>
      <source>Being made</source>
      <translation>Em criação</translation>
    </message>
    <message>
      <source>decoding</source>
      <translation>decodificar</translation>
    </message>
    <message>
      <source>enlarging</source>
      <translation>ampliando</translation>
    </message>
    <message>
      <source>loading the model</source>
      <translation>carregando o modelo</translation>
    </message>
    <message>
      <source>making</source>
      <translation>criando</translation>
    </message>
    <message>
      <source>reading the prompt</source>
      <translation>ler o prompt</translation>
    </message>
    <message>
      <source>saving</source>
      <translation>salvando</translation>
    </message>
    <message>
      <source>step {0} / {1}</source>
      <translation>passo {0} / {1}</translation>
    </message>
    <message>
      <source>waiting</source>
      <translation>esperando</translation>
    </message>
  </context>
  <context>
    <name>LoraList</name>
    <message>
      <source>A LoRA is a small file that teaches a model a style, a person or a thing. It can be dropped here.</source>
      <translation>Um LoRA é um arquivo pequeno que ensina a um modelo um estilo, uma pessoa ou uma coisa. Pode ser solto aqui.</translation>
    </message>
    <message>
      <source>Add a LoRA</source>
      <translation>Adicionar um LoRA</translation>
    </message>
    <message>
      <source>Add…</source>
      <translation>Adicionar…</translation>
    </message>
    <message>
      <source>Choose a LoRA</source>
      <translation>Escolher um LoRA</translation>
    </message>
    <message>
      <source>Choose a file…</source>
      <translation>Escolher um arquivo…</translation>
    </message>
    <message>
      <source>LoRAs (*.safetensors)</source>
      <translation>LoRAs (*.safetensors)</translation>
    </message>
    <message>
      <source>Open the folder of LoRAs</source>
      <translation>Abrir a pasta de LoRAs</translation>
    </message>
    <message>
      <source>one LoRA</source>
      <translation>um LoRA</translation>
    </message>
    <message>
      <source>{count} LoRAs</source>
      <translation>{count} LoRAs</translation>
    </message>
  </context>
  <context>
    <name>LoraRow</name>
    <message>
      <source>Choose its file…</source>
      <translation>Escolher o arquivo…</translation>
    </message>
    <message>
      <source>How strongly it acts: 1 is how it was trained, 0 is not at all.</source>
      <translation>Com que força atua: 1 é como foi treinado, 0 é nada.</translation>
    </message>
    <message>
      <source>Made for a model of another size: it does not fit {model}.</source>
      <translation>Feito para um modelo de outro tamanho: não serve para {model}.</translation>
    </message>
    <message>
      <source>Made for {other}: it does not fit {model}.</source>
      <translation>Feito para {other}: não serve para {model}.</translation>
    </message>
    <message>
      <source>The file of this name is not the one that the recipe was made with.</source>
      <translation>O arquivo com este nome não é aquele com que a receita foi feita.</translation>
    </message>
    <message>
      <source>This file is no LoRA that can be read.</source>
      <translation>Este arquivo não é um LoRA que possa ser lido.</translation>
    </message>
    <message>
      <source>This file is not on this machine.</source>
      <translation>Este arquivo não está neste computador.</translation>
    </message>
    <message>
      <source>Use this LoRA</source>
      <translation>Usar este LoRA</translation>
    </message>
    <message>
      <source>Use {name}</source>
      <translation>Usar {name}</translation>
    </message>
    <message>
      <source>rank {rank}</source>
      <translation>posto {rank}</translation>
    </message>
    <message>
      <source>text encoders × {strength}</source>
      <translation>codificadores de texto × {strength}</translation>
    </message>
    <message>
      <source>{name}: strength</source>
      <translation>{name}: intensidade</translation>
    </message>
    <message>
      <source>{name}: take it out</source>
      <translation>{name}: retirar</translation>
    </message>
  </context>
  <context>
    <name>MainWindow</name>
    <message>
      <source>Menu (F10)</source>
      <translation>Menu (F10)</translation>
    </message>
    <message>
      <source>No model was found. Download or import one: Models… in the menu.</source>
      <translation>Nenhum modelo foi encontrado. Baixe ou importe um: Modelos… no menu.</translation>
    </message>
    <message>
      <source>Take it out</source>
      <translation>Retirar</translation>
    </message>
    <message>
      <source>Take the LoRAs off</source>
      <translation>Retirar os LoRAs</translation>
    </message>
    <message>
      <source>Take the exact weights</source>
      <translation>Usar os pesos exatos</translation>
    </message>
  </context>
  <context>
    <name>Making</name>
    <message>
      <source>Being made</source>
      <translation>Em criação</translation>
    </message>
  </context>
  <context>
    <name>MaskCanvas</name>
    <message>
      <source>Mask</source>
      <translation>Máscara</translation>
    </message>
  </context>
  <context>
    <name>MaskEditor</name>
    <message>
      <source>Brush</source>
      <translation>Pincel</translation>
    </message>
    <message>
      <source>Cancel</source>
      <translation>Cancelar</translation>
    </message>
    <message>
      <source>Change a part</source>
      <translation>Mudar uma parte</translation>
    </message>
    <message>
      <source>Clear</source>
      <translation>Limpar</translation>
    </message>
    <message>
      <source>Colour</source>
      <translation>Cor</translation>
    </message>
    <message>
      <source>Eraser</source>
      <translation>Borracha</translation>
    </message>
    <message>
      <source>Everything</source>
      <translation>Tudo</translation>
    </message>
    <message>
      <source>Fill</source>
      <translation>Preencher</translation>
    </message>
    <message>
      <source>From a file…</source>
      <translation>De um arquivo…</translation>
    </message>
    <message>
      <source>From transparency</source>
      <translation>Da transparência</translation>
    </message>
    <message>
      <source>Grow</source>
      <translation>Aumentar</translation>
    </message>
    <message>
      <source>Hardness of the brush</source>
      <translation>Dureza do pincel</translation>
    </message>
    <message>
      <source>Hardness of the brush: { and }</source>
      <translation>Dureza do pincel: { e }</translation>
    </message>
    <message>
      <source>How far to grow, shrink or soften, in pixels</source>
      <translation>Quanto aumentar, diminuir ou suavizar, em pixels</translation>
    </message>
    <message>
      <source>Invert</source>
      <translation>Inverter</translation>
    </message>
    <message>
      <source>Lasso</source>
      <translation>Laço</translation>
    </message>
    <message>
      <source>Paint what is to be made anew</source>
      <translation>Pinte o que deve ser refeito</translation>
    </message>
    <message>
      <source>Rectangle</source>
      <translation>Retângulo</translation>
    </message>
    <message>
      <source>Redo (Ctrl+Shift+Z)</source>
      <translation>Refazer (Ctrl+Shift+Z)</translation>
    </message>
    <message>
      <source>Shrink</source>
      <translation>Diminuir</translation>
    </message>
    <message>
      <source>Size of the brush, in pixels</source>
      <translation>Tamanho do pincel, em pixels</translation>
    </message>
    <message>
      <source>Size of the brush: wheel, or [ and ]</source>
      <translation>Tamanho do pincel: roda do mouse, ou [ e ]</translation>
    </message>
    <message>
      <source>Soften</source>
      <translation>Suavizar</translation>
    </message>
    <message>
      <source>Take the mask from a file</source>
      <translation>Tirar a máscara de um arquivo</translation>
    </message>
    <message>
      <source>Tool</source>
      <translation>Ferramenta</translation>
    </message>
    <message>
      <source>Undo (Ctrl+Z)</source>
      <translation>Desfazer (Ctrl+Z)</translation>
    </message>
    <message>
      <source>Use this mask</source>
      <translation>Usar esta máscara</translation>
    </message>
    <message>
      <source>by</source>
      <translation>em</translation>
    </message>
  </context>
  <context>
    <name>Masking</name>
    <message>
      <source>Choose a picture, of which a part is to be changed.</source>
      <translation>Escolha uma imagem da qual uma parte deve mudar.</translation>
    </message>
    <message>
      <source>No model on this machine changes a part of a picture.</source>
      <translation>Nenhum modelo nesta máquina muda uma parte de uma imagem.</translation>
    </message>
    <message>
      <source>The mask that the form has cannot be read; here is an empty one.</source>
      <translation>A máscara do formulário não pode ser lida; aqui está uma vazia.</translation>
    </message>
    <message>
      <source>The masked part of {file} is made anew. Say what should be there, and generate.</source>
      <translation>A parte mascarada de {file} será refeita. Diga o que deve estar lá e gere.</translation>
    </message>
    <message>
      <source>the mask</source>
      <translation>a máscara</translation>
    </message>
  </context>
  <context>
    <name>Menu</name>
    <message>
      <source>Menu</source>
      <translation>Menu</translation>
    </message>
  </context>
  <context>
    <name>MessageFrame</name>
    <message>
      <source>Close this message</source>
      <translation>Fechar esta mensagem</translation>
    </message>
    <message>
      <source>Copy</source>
      <translation>Copiar</translation>
    </message>
    <message>
      <source>Details</source>
      <translation>Detalhes</translation>
    </message>
  </context>
  <context>
    <name>MixRow</name>
    <message>
      <source>Average, keep</source>
      <translation>Média, manter</translation>
    </message>
    <message>
      <source>How much of the prompt is kept in the average</source>
      <translation>Quanto do prompt fica na média</translation>
    </message>
    <message>
      <source>Its encoding is zeros.</source>
      <translation>A codificação é de zeros.</translation>
    </message>
    <message>
      <source>Take this average out</source>
      <translation>Retirar esta média</translation>
    </message>
    <message>
      <source>Text to average with</source>
      <translation>Texto com que fazer a média</translation>
    </message>
    <message>
      <source>The prompt</source>
      <translation>O prompt</translation>
    </message>
  </context>
  <context>
    <name>ModelCard</name>
    <message>
      <source>Check files</source>
      <translation>Verificar arquivos</translation>
    </message>
    <message>
      <source>Checking the files</source>
      <translation>Verificando os arquivos</translation>
    </message>
    <message>
      <source>Download</source>
      <translation>Baixar</translation>
    </message>
    <message>
      <source>Downloading</source>
      <translation>Baixando</translation>
    </message>
    <message>
      <source>Forget</source>
      <translation>Esquecer</translation>
    </message>
    <message>
      <source>Get what is missing</source>
      <translation>Obter o que falta</translation>
    </message>
    <message>
      <source>Give up</source>
      <translation>Desistir</translation>
    </message>
    <message>
      <source>Go on</source>
      <translation>Continuar</translation>
    </message>
    <message>
      <source>It lacks: {parts}.</source>
      <translation>Falta: {parts}.</translation>
    </message>
    <message>
      <source>It runs, and reads prompts less well, without: {parts}.</source>
      <translation>Ele funciona, e lê menos bem os prompts, sem: {parts}.</translation>
    </message>
    <message>
      <source>Pause</source>
      <translation>Pausar</translation>
    </message>
    <message>
      <source>Precision of {name}</source>
      <translation>Precisão de {name}</translation>
    </message>
    <message>
      <source>Progress of {name}</source>
      <translation>Progresso de {name}</translation>
    </message>
    <message>
      <source>Remove…</source>
      <translation>Remover…</translation>
    </message>
    <message>
      <source>Repair</source>
      <translation>Reparar</translation>
    </message>
    <message>
      <source>Update</source>
      <translation>Atualizar</translation>
    </message>
    <message>
      <source>Waiting for its turn</source>
      <translation>Esperando a vez</translation>
    </message>
    <message>
      <source>as published</source>
      <translation>como publicado</translation>
    </message>
    <message>
      <source>smaller T5 (fp8)</source>
      <translation>T5 menor (fp8)</translation>
    </message>
  </context>
  <context>
    <name>Models</name>
    <message>
      <source>Damaged: 1 file</source>
      <translation>Danificado: 1 arquivo</translation>
    </message>
    <message>
      <source>Damaged: {count} files</source>
      <translation>Danificados: {count} arquivos</translation>
    </message>
    <message>
      <source>Graphics memory from {memory:g} GB (more is faster)</source>
      <translation>Memória gráfica a partir de {memory:g} GB (com mais, é mais rápido)</translation>
    </message>
    <message>
      <source>Incomplete</source>
      <translation>Incompleto</translation>
    </message>
    <message>
      <source>Not connected</source>
      <translation>Não conectado</translation>
    </message>
    <message>
      <source>Not here</source>
      <translation>Não está aqui</translation>
    </message>
    <message>
      <source>Paused</source>
      <translation>Pausado</translation>
    </message>
    <message>
      <source>Putting it together</source>
      <translation>Montando</translation>
    </message>
    <message>
      <source>Ready</source>
      <translation>Pronto</translation>
    </message>
    <message>
      <source>Update available</source>
      <translation>Atualização disponível</translation>
    </message>
    <message>
      <source>Waiting</source>
      <translation>Esperando</translation>
    </message>
    <message>
      <source>needs a free account and a token</source>
      <translation>precisa de uma conta gratuita e um token</translation>
    </message>
    <message>
      <source>{count} h</source>
      <translation>{count} h</translation>
    </message>
    <message>
      <source>{count} min</source>
      <translation>{count} min</translation>
    </message>
    <message>
      <source>{count} s</source>
      <translation>{count} s</translation>
    </message>
    <message>
      <source>{disk} on disk</source>
      <translation>{disk} no disco</translation>
    </message>
    <message>
      <source>{done} of {total}</source>
      <translation>{done} de {total}</translation>
    </message>
    <message>
      <source>{speed} a second</source>
      <translation>{speed} por segundo</translation>
    </message>
    <message>
      <source>{state} at {done} of {total}</source>
      <translation>{state} em {done} de {total}</translation>
    </message>
    <message>
      <source>{time} left</source>
      <translation>restam {time}</translation>
    </message>
  </context>
  <context>
    <name>ModelsWindow</name>
    <message>
      <source>ControlNets that are kept for later versions: {count}.</source>
      <translation>ControlNets guardados para versões futuras: {count}.</translation>
    </message>
    <message>
      <source>Files that were left out: {count}.</source>
      <translation>Arquivos que ficaram de fora: {count}.</translation>
    </message>
    <message>
      <source>IMPORTED</source>
      <translation>IMPORTADOS</translation>
    </message>
    <message>
      <source>Import a file…</source>
      <translation>Importar um arquivo…</translation>
    </message>
    <message>
      <source>Import a folder…</source>
      <translation>Importar uma pasta…</translation>
    </message>
    <message>
      <source>Import a model file</source>
      <translation>Importar um arquivo de modelo</translation>
    </message>
    <message>
      <source>Import models from a folder</source>
      <translation>Importar modelos de uma pasta</translation>
    </message>
    <message>
      <source>Imported: {names}.</source>
      <translation>Importados: {names}.</translation>
    </message>
    <message>
      <source>Kept in {folder}</source>
      <translation>Guardado em {folder}</translation>
    </message>
    <message>
      <source>LoRAs that are in the form's list now: {count}.</source>
      <translation>LoRAs que agora estão na lista do formulário: {count}.</translation>
    </message>
    <message>
      <source>Look for updates</source>
      <translation>Procurar atualizações</translation>
    </message>
    <message>
      <source>Models</source>
      <translation>Modelos</translation>
    </message>
    <message>
      <source>Move all models to an empty folder</source>
      <translation>Mover todos os modelos para uma pasta vazia</translation>
    </message>
    <message>
      <source>Move all…</source>
      <translation>Mover todos…</translation>
    </message>
    <message>
      <source>Moving the models: {percent} %</source>
      <translation>Movendo os modelos: {percent} %</translation>
    </message>
    <message>
      <source>Nothing was copied.</source>
      <translation>Nada foi copiado.</translation>
    </message>
    <message>
      <source>Reading {name}…</source>
      <translation>Lendo {name}…</translation>
    </message>
    <message>
      <source>Token…</source>
      <translation>Token…</translation>
    </message>
    <message>
      <source>UPSCALERS</source>
      <translation>AMPLIADORES</translation>
    </message>
    <message>
      <source>Undo</source>
      <translation>Desfazer</translation>
    </message>
    <message>
      <source>Upscalers were copied, models were not.</source>
      <translation>Os ampliadores foram copiados, os modelos não.</translation>
    </message>
    <message>
      <source>What was left out…</source>
      <translation>O que ficou de fora…</translation>
    </message>
    <message>
      <source>{name} is forgotten; your own files stay.</source>
      <translation>{name} foi esquecido; seus arquivos continuam.</translation>
    </message>
    <message>
      <source>{name} is taken out; your own file stays.</source>
      <translation>{name} foi retirado; o seu arquivo continua onde está.</translation>
    </message>
    <message>
      <source>{name}: all {count} files are as published.</source>
      <translation>{name}: todos os {count} arquivos estão como publicados.</translation>
    </message>
    <message>
      <source>{name}: {count} files are damaged. “Repair” fetches them anew.</source>
      <translation>{name}: {count} arquivos estão danificados. “Reparar” os busca de novo.</translation>
    </message>
  </context>
  <context>
    <name>Notifier</name>
    <message>
      <source>A job failed</source>
      <translation>Um trabalho falhou</translation>
    </message>
    <message>
      <source>Done</source>
      <translation>Concluir</translation>
    </message>
  </context>
  <context>
    <name>Parameters</name>
    <message>
      <source> variation</source>
      <translation> variação</translation>
    </message>
    <message>
      <source> variations</source>
      <translation> variações</translation>
    </message>
    <message>
      <source>Batch</source>
      <translation>Lote</translation>
    </message>
    <message>
      <source>Guidance</source>
      <translation>Orientação</translation>
    </message>
    <message>
      <source>Guidance scale</source>
      <translation>Escala de orientação</translation>
    </message>
    <message>
      <source>Larger</source>
      <translation>Ampliar</translation>
    </message>
    <message>
      <source>Length</source>
      <translation>Duração</translation>
    </message>
    <message>
      <source>Looking…</source>
      <translation>Procurando…</translation>
    </message>
    <message>
      <source>Model</source>
      <translation>Modelo</translation>
    </message>
    <message>
      <source>No model</source>
      <translation>Nenhum modelo</translation>
    </message>
    <message>
      <source>Number of steps</source>
      <translation>Número de passos</translation>
    </message>
    <message>
      <source>Number of variations</source>
      <translation>Número de variações</translation>
    </message>
    <message>
      <source>Seed</source>
      <translation>Semente</translation>
    </message>
    <message>
      <source>Size</source>
      <translation>Tamanho</translation>
    </message>
    <message>
      <source>Steps</source>
      <translation>Passos</translation>
    </message>
  </context>
  <context>
    <name>PresetButton</name>
    <message>
      <source>Keep these settings</source>
      <translation>Guardar estes ajustes</translation>
    </message>
    <message>
      <source>Keep these settings…</source>
      <translation>Guardar estes ajustes…</translation>
    </message>
    <message>
      <source>Name</source>
      <translation>Nome</translation>
    </message>
    <message>
      <source>Remove</source>
      <translation>Remover</translation>
    </message>
    <message>
      <source>Settings kept for this model</source>
      <translation>Ajustes guardados para este modelo</translation>
    </message>
    <message>
      <source>The model's own settings</source>
      <translation>Os ajustes do próprio modelo</translation>
    </message>
  </context>
  <context>
    <name>PromptHistory</name>
    <message>
      <source>Nothing found.</source>
      <translation>Nada encontrado.</translation>
    </message>
    <message>
      <source>Prompts that you have used show here.</source>
      <translation>Os prompts que você usou aparecem aqui.</translation>
    </message>
    <message>
      <source>Search your prompts</source>
      <translation>Pesquisar seus prompts</translation>
    </message>
    <message>
      <source>Your prompts</source>
      <translation>Seus prompts</translation>
    </message>
  </context>
  <context>
    <name>Prompts</name>
    <message>
      <source>Describe what you want to see</source>
      <translation>Descreva o que você quer ver</translation>
    </message>
    <message>
      <source>Make all {count} combinations…</source>
      <translation>Criar todas as {count} combinações…</translation>
    </message>
    <message>
      <source>NEGATIVE PROMPT</source>
      <translation>PROMPT NEGATIVO</translation>
    </message>
    <message>
      <source>Negative prompt</source>
      <translation>Prompt negativo</translation>
    </message>
    <message>
      <source>PROMPT</source>
      <translation>PROMPT</translation>
    </message>
    <message>
      <source>Prompt</source>
      <translation>Prompt</translation>
    </message>
    <message>
      <source>This model reads no weights.</source>
      <translation>Este modelo não lê pesos.</translation>
    </message>
    <message>
      <source>What to avoid, e.g. text, watermark, flicker</source>
      <translation>O que evitar, p. ex. texto, marca d'água, tremulação</translation>
    </message>
    <message>
      <source>Your prompts (Ctrl+H)</source>
      <translation>Seus prompts (Ctrl+H)</translation>
    </message>
    <message>
      <source>for example: {prompt}</source>
      <translation>por exemplo: {prompt}</translation>
    </message>
    <message>
      <source>“&lt;lora:…&gt;” in a prompt is plain text here. LoRAs are added under Advanced.</source>
      <translation>“&lt;lora:…&gt;” em um prompt é texto comum aqui. LoRAs são adicionados em Avançado.</translation>
    </message>
  </context>
  <context>
    <name>Queue</name>
    <message>
      <source>Cancelled</source>
      <translation>Cancelado</translation>
    </message>
    <message>
      <source>Failed</source>
      <translation>Falhou</translation>
    </message>
    <message>
      <source>Goes on</source>
      <translation>Continua</translation>
    </message>
    <message>
      <source>Goes on from step {0} of {1}</source>
      <translation>Continua do passo {0} de {1}</translation>
    </message>
    <message>
      <source>Paused</source>
      <translation>Pausado</translation>
    </message>
    <message>
      <source>paused</source>
      <translation>pausado</translation>
    </message>
    <message>
      <source>{0} at step {1} of {2}</source>
      <translation>{0} no passo {1} de {2}</translation>
    </message>
    <message>
      <source>{0} before decoding</source>
      <translation>{0} antes de decodificar</translation>
    </message>
    <message>
      <source>{0} files</source>
      <translation>{0} arquivos</translation>
    </message>
    <message>
      <source>{0} variations</source>
      <translation>{0} variações</translation>
    </message>
  </context>
  <context>
    <name>QueueActions</name>
    <message>
      <source>A job was taken out of the queue.</source>
      <translation>Um trabalho foi retirado da fila.</translation>
    </message>
    <message>
      <source>Cancelled at step {step} of {steps}.</source>
      <translation>Cancelado no passo {step} de {steps}.</translation>
    </message>
    <message>
      <source>Go on</source>
      <translation>Continuar</translation>
    </message>
    <message>
      <source>Leave it as it was</source>
      <translation>Deixar como estava</translation>
    </message>
    <message>
      <source>The job's recipe is in the form. Generate puts it back into the queue, changed.</source>
      <translation>A receita do trabalho está no formulário. Gerar a devolve à fila, alterada.</translation>
    </message>
    <message>
      <source>cancel</source>
      <translation>cancelar</translation>
    </message>
    <message>
      <source>taking out</source>
      <translation>retirar</translation>
    </message>
    <message>
      <source>{count} jobs were taken out of the queue.</source>
      <translation>{count} trabalhos foram retirados da fila.</translation>
    </message>
  </context>
  <context>
    <name>QueueModel</name>
    <message>
      <source>closed</source>
      <translation>fechado</translation>
    </message>
    <message>
      <source>open</source>
      <translation>aberto</translation>
    </message>
    <message>
      <source>{0} of {1} waiting</source>
      <translation>{0} de {1} esperando</translation>
    </message>
  </context>
  <context>
    <name>QueuePanel</name>
    <message>
      <source>Clear</source>
      <translation>Limpar</translation>
    </message>
    <message>
      <source>Duplicate with the next seed	D</source>
      <translation>Duplicar com a próxima semente	D</translation>
    </message>
    <message>
      <source>Edit…	E</source>
      <translation>Editar…	E</translation>
    </message>
    <message>
      <source>Go on</source>
      <translation>Continuar</translation>
    </message>
    <message>
      <source>Go on with the queue</source>
      <translation>Continuar a fila</translation>
    </message>
    <message>
      <source>Move down	Alt+Down</source>
      <translation>Mover para baixo	Alt+Down</translation>
    </message>
    <message>
      <source>Move up	Alt+Up</source>
      <translation>Mover para cima	Alt+Up</translation>
    </message>
    <message>
      <source>Nothing is waiting. Press Generate as often as you like; it lines up here.</source>
      <translation>Nada esperando. Pressione Gerar quantas vezes quiser; tudo entra na fila aqui.</translation>
    </message>
    <message>
      <source>Pause	P</source>
      <translation>Pausar	P</translation>
    </message>
    <message>
      <source>Pause the queue</source>
      <translation>Pausar a fila</translation>
    </message>
    <message>
      <source>QUEUE</source>
      <translation>FILA</translation>
    </message>
    <message>
      <source>Queue</source>
      <translation>Fila</translation>
    </message>
    <message>
      <source>Remove	Delete</source>
      <translation>Remover	Delete</translation>
    </message>
    <message>
      <source>Run last	Alt+End</source>
      <translation>Executar por último	Alt+End</translation>
    </message>
    <message>
      <source>Run next	Alt+Home</source>
      <translation>Executar a seguir	Alt+Home</translation>
    </message>
    <message>
      <source>Take out everything that waits</source>
      <translation>Retirar tudo o que está esperando</translation>
    </message>
    <message>
      <source>Waiting jobs</source>
      <translation>Trabalhos em espera</translation>
    </message>
    <message>
      <source>paused</source>
      <translation>pausado</translation>
    </message>
    <message>
      <source>{0} paused</source>
      <translation>{0} em pausa</translation>
    </message>
    <message>
      <source>{0} waiting</source>
      <translation>{0} esperando</translation>
    </message>
    <message>
      <source>≈ {0} left</source>
      <translation>≈ restam {0}</translation>
    </message>
  </context>
  <context>
    <name>RangeField</name>
    <message>
      <source>Drag the ends</source>
      <translation>Arraste as pontas</translation>
    </message>
    <message>
      <source>to</source>
      <translation>a</translation>
    </message>
  </context>
  <context>
    <name>Recipe</name>
    <message>
      <source>Dynamic guidance</source>
      <translation>Orientação dinâmica</translation>
    </message>
    <message>
      <source>Frames</source>
      <translation>Quadros</translation>
    </message>
    <message>
      <source>Frames per second</source>
      <translation>Quadros por segundo</translation>
    </message>
    <message>
      <source>Guidance</source>
      <translation>Orientação</translation>
    </message>
    <message>
      <source>Guidance curve</source>
      <translation>Curva de orientação</translation>
    </message>
    <message>
      <source>Latents kept as</source>
      <translation>Latentes guardados como</translation>
    </message>
    <message>
      <source>LoRAs</source>
      <translation>LoRAs</translation>
    </message>
    <message>
      <source>Longest prompt</source>
      <translation>Maior prompt</translation>
    </message>
    <message>
      <source>Made from</source>
      <translation>Feito de</translation>
    </message>
    <message>
      <source>Made larger</source>
      <translation>Ampliado</translation>
    </message>
    <message>
      <source>Model</source>
      <translation>Modelo</translation>
    </message>
    <message>
      <source>More prompts</source>
      <translation>Mais prompts</translation>
    </message>
    <message>
      <source>Negative prompt</source>
      <translation>Prompt negativo</translation>
    </message>
    <message>
      <source>Negative prompt's part</source>
      <translation>Parte do prompt negativo</translation>
    </message>
    <message>
      <source>Part made anew</source>
      <translation>Parte refeita</translation>
    </message>
    <message>
      <source>Pictures at once</source>
      <translation>Imagens de uma vez</translation>
    </message>
    <message>
      <source>Prompt</source>
      <translation>Prompt</translation>
    </message>
    <message>
      <source>Reading of texts</source>
      <translation>Leitura dos textos</translation>
    </message>
    <message>
      <source>Sampler</source>
      <translation>Amostrador</translation>
    </message>
    <message>
      <source>Schedule</source>
      <translation>Cronograma</translation>
    </message>
    <message>
      <source>Seed</source>
      <translation>Semente</translation>
    </message>
    <message>
      <source>Shift</source>
      <translation>Shift</translation>
    </message>
    <message>
      <source>Size</source>
      <translation>Tamanho</translation>
    </message>
    <message>
      <source>Skip-layer guidance</source>
      <translation>Orientação por salto de camadas</translation>
    </message>
    <message>
      <source>Start from</source>
      <translation>Partir de</translation>
    </message>
    <message>
      <source>Step caching</source>
      <translation>Passos pulados</translation>
    </message>
    <message>
      <source>Steps</source>
      <translation>Passos</translation>
    </message>
    <message>
      <source>T5 without padding</source>
      <translation>T5 sem preenchimento</translation>
    </message>
    <message>
      <source>Text encoder T5</source>
      <translation>Codificador de texto T5</translation>
    </message>
    <message>
      <source>Weights</source>
      <translation>Pesos</translation>
    </message>
    <message>
      <source>grows by {0} ({1})</source>
      <translation>cresce {0} ({1})</translation>
    </message>
    <message>
      <source>off</source>
      <translation>desligado</translation>
    </message>
    <message>
      <source>on</source>
      <translation>ligado</translation>
    </message>
    <message>
      <source>soft edge {0} px</source>
      <translation>borda suave de {0} px</translation>
    </message>
    <message>
      <source>the masked part, {0} px around</source>
      <translation>a parte mascarada, {0} px em volta</translation>
    </message>
    <message>
      <source>the whole picture</source>
      <translation>a imagem inteira</translation>
    </message>
  </context>
  <context>
    <name>RecipeFiles</name>
    <message>
      <source>Choose another one.</source>
      <translation>Escolha outra.</translation>
    </message>
    <message>
      <source>Make all {count} again</source>
      <translation>Fazer todas as {count} de novo</translation>
    </message>
    <message>
      <source>No model on this machine starts from a picture.</source>
      <translation>Nenhum modelo deste computador parte de uma imagem.</translation>
    </message>
    <message>
      <source>None of these {count} files carries a recipe.</source>
      <translation>Nenhum destes {count} arquivos traz uma receita.</translation>
    </message>
    <message>
      <source>Start from it</source>
      <translation>Partir dela</translation>
    </message>
    <message>
      <source>The next clip begins with {file}.</source>
      <translation>O próximo clipe começa com {file}.</translation>
    </message>
    <message>
      <source>The next picture starts from {file}. How much of it is drawn anew is under Advanced.</source>
      <translation>A próxima imagem parte de {file}. Quanto dela é redesenhado está em Avançado.</translation>
    </message>
    <message>
      <source>The recipe of {file} is in the form; {count} of {all} files carry one.</source>
      <translation>A receita de {file} está no formulário; {count} de {all} arquivos trazem uma.</translation>
    </message>
    <message>
      <source>the picture to start from</source>
      <translation>a imagem inicial</translation>
    </message>
    <message>
      <source>{0} is no picture that can be read.</source>
      <translation>{0} não é uma imagem legível.</translation>
    </message>
    <message>
      <source>{problem} It can be the picture that the next one starts from.</source>
      <translation>{problem} Pode ser a imagem de que a próxima parte.</translation>
    </message>
  </context>
  <context>
    <name>RecipePanel</name>
    <message>
      <source>Made with {program}, and a model that Laterna does not run.</source>
      <translation>Feito com {program} e um modelo que o Laterna não executa.</translation>
    </message>
    <message>
      <source>Made with {program}; this is what Laterna reads of it.</source>
      <translation>Feito com {program}; isto é o que o Laterna lê dele.</translation>
    </message>
    <message>
      <source>Marked: what the form has differently.</source>
      <translation>Marcado: o que está diferente no formulário.</translation>
    </message>
    <message>
      <source>Nothing is shown.</source>
      <translation>Nada está sendo mostrado.</translation>
    </message>
    <message>
      <source>Only the seed</source>
      <translation>Só a semente</translation>
    </message>
    <message>
      <source>RECIPE</source>
      <translation>RECEITA</translation>
    </message>
    <message>
      <source>Recipe</source>
      <translation>Receita</translation>
    </message>
    <message>
      <source>The form has the same settings.</source>
      <translation>O formulário tem os mesmos ajustes.</translation>
    </message>
    <message>
      <source>The form has: {value}</source>
      <translation>No formulário: {value}</translation>
    </message>
    <message>
      <source>Use this</source>
      <translation>Usar esta</translation>
    </message>
    <message>
      <source>What is shown carries no recipe.</source>
      <translation>O que é mostrado não traz receita.</translation>
    </message>
    <message>
      <source>form: {value}</source>
      <translation>formulário: {value}</translation>
    </message>
  </context>
  <context>
    <name>RemoveDialog</name>
    <message>
      <source>Remove</source>
      <translation>Remover</translation>
    </message>
    <message>
      <source>Remove {name}?</source>
      <translation>Remover {name}?</translation>
    </message>
    <message>
      <source>This frees {size}.</source>
      <translation>Isto libera {size}.</translation>
    </message>
    <message>
      <source>{size} stay, since other models use them.</source>
      <translation>{size} ficam, pois outros modelos usam.</translation>
    </message>
  </context>
  <context>
    <name>ReportDialog</name>
    <message>
      <source>Add the prompt of the last job</source>
      <translation>Incluir o prompt do último trabalho</translation>
    </message>
    <message>
      <source>Copy</source>
      <translation>Copiar</translation>
    </message>
    <message>
      <source>Nothing is sent anywhere. Look through it, add what you like, and save it where you want.</source>
      <translation>Nada é enviado. Leia, acrescente o que quiser e salve onde quiser.</translation>
    </message>
    <message>
      <source>Report</source>
      <translation>Relatório</translation>
    </message>
    <message>
      <source>Save the report</source>
      <translation>Salvar o relatório</translation>
    </message>
    <message>
      <source>Save…</source>
      <translation>Salvar…</translation>
    </message>
    <message>
      <source>What were you doing?</source>
      <translation>O que você estava fazendo?</translation>
    </message>
    <message>
      <source>What were you doing? (optional)</source>
      <translation>O que você estava fazendo? (opcional)</translation>
    </message>
  </context>
  <context>
    <name>Reports</name>
    <message>
      <source>A report that was asked for; nothing crashed since Laterna was opened.</source>
      <translation>Um relatório pedido; nada falhou desde que o Laterna foi aberto.</translation>
    </message>
    <message>
      <source>Laterna ended unexpectedly the last time. Everything that was saved and queued is here.</source>
      <translation>O Laterna terminou inesperadamente da última vez. Tudo o que foi salvo e enfileirado está aqui.</translation>
    </message>
    <message>
      <source>Laterna's window ended unexpectedly the last time: it crashed, was killed, or the power went.</source>
      <translation>A janela do Laterna terminou inesperadamente da última vez: falhou, foi encerrada ou faltou energia.</translation>
    </message>
    <message>
      <source>Show report</source>
      <translation>Mostrar relatório</translation>
    </message>
  </context>
  <context>
    <name>RunningRow</name>
    <message>
      <source>Cancel</source>
      <translation>Cancelar</translation>
    </message>
    <message>
      <source>Cancel this job</source>
      <translation>Cancelar este trabalho</translation>
    </message>
    <message>
      <source>Decoding</source>
      <translation>Decodificando</translation>
    </message>
    <message>
      <source>Enlarging</source>
      <translation>Ampliando</translation>
    </message>
    <message>
      <source>Loading the model</source>
      <translation>Carregando o modelo</translation>
    </message>
    <message>
      <source>Making</source>
      <translation>Criando</translation>
    </message>
    <message>
      <source>Memory in use: {0}</source>
      <translation>Memória em uso: {0}</translation>
    </message>
    <message>
      <source>Pause</source>
      <translation>Pausar</translation>
    </message>
    <message>
      <source>Pause this job</source>
      <translation>Pausar este trabalho</translation>
    </message>
    <message>
      <source>Progress of the running job</source>
      <translation>Progresso do trabalho em andamento</translation>
    </message>
    <message>
      <source>Reading the prompt</source>
      <translation>Lendo o prompt</translation>
    </message>
    <message>
      <source>Saving</source>
      <translation>Salvando</translation>
    </message>
    <message>
      <source>Starting</source>
      <translation>Iniciando</translation>
    </message>
    <message>
      <source>Step {0} of {1}</source>
      <translation>Passo {0} de {1}</translation>
    </message>
    <message>
      <source>Waiting</source>
      <translation>Esperando</translation>
    </message>
    <message>
      <source>{0} left</source>
      <translation>restam {0}</translation>
    </message>
  </context>
  <context>
    <name>SeedField</name>
    <message>
      <source>A new seed is drawn each time; click to keep this one</source>
      <translation>Uma nova semente é sorteada a cada vez; clique para manter esta</translation>
    </message>
    <message>
      <source>Draw another seed</source>
      <translation>Sortear outra semente</translation>
    </message>
    <message>
      <source>Keep this seed</source>
      <translation>Manter esta semente</translation>
    </message>
    <message>
      <source>Random</source>
      <translation>Aleatória</translation>
    </message>
    <message>
      <source>Seed</source>
      <translation>Semente</translation>
    </message>
    <message>
      <source>This seed is kept; click for a new one each time</source>
      <translation>Esta semente é mantida; clique para uma nova a cada vez</translation>
    </message>
  </context>
  <context>
    <name>Sentences</name>
    <message>
      <source>Frames per second</source>
      <translation>O número de quadros por segundo</translation>
    </message>
    <message>
      <source>Guidance</source>
      <translation>A orientação</translation>
    </message>
    <message>
      <source>Height</source>
      <translation>A altura</translation>
    </message>
    <message>
      <source>Loading PyTorch</source>
      <translation>Carregando o PyTorch</translation>
    </message>
    <message>
      <source>Results at once</source>
      <translation>Resultados de uma vez</translation>
    </message>
    <message>
      <source>Shift</source>
      <translation>O deslocamento</translation>
    </message>
    <message>
      <source>Steps</source>
      <translation>Passos</translation>
    </message>
    <message>
      <source>The batch</source>
      <translation>O lote</translation>
    </message>
    <message>
      <source>The denoise strength</source>
      <translation>A força de remoção de ruído</translation>
    </message>
    <message>
      <source>The negative prompt</source>
      <translation>O prompt negativo</translation>
    </message>
    <message>
      <source>The number of frames</source>
      <translation>O número de quadros</translation>
    </message>
    <message>
      <source>The number of steps</source>
      <translation>O número de passos</translation>
    </message>
    <message>
      <source>The prompt</source>
      <translation>O prompt</translation>
    </message>
    <message>
      <source>The prompt length in tokens</source>
      <translation>O comprimento do prompt em tokens</translation>
    </message>
    <message>
      <source>The seed</source>
      <translation>A semente</translation>
    </message>
    <message>
      <source>The tolerance of step caching</source>
      <translation>A tolerância dos passos pulados</translation>
    </message>
    <message>
      <source>Tokens</source>
      <translation>Tokens</translation>
    </message>
    <message>
      <source>Triton or a C compiler</source>
      <translation>Triton ou um compilador C</translation>
    </message>
    <message>
      <source>Width</source>
      <translation>A largura</translation>
    </message>
    <message>
      <source>a C++ compiler</source>
      <translation>um compilador C++</translation>
    </message>
    <message>
      <source>a Chroma transformer</source>
      <translation>um transformer do Chroma</translation>
    </message>
    <message>
      <source>a Cosmos transformer</source>
      <translation>um transformer do Cosmos</translation>
    </message>
    <message>
      <source>a Flux transformer</source>
      <translation>um transformer do Flux</translation>
    </message>
    <message>
      <source>a Flux.2 transformer</source>
      <translation>um transformer do Flux.2</translation>
    </message>
    <message>
      <source>a GLIGEN adapter</source>
      <translation>um adaptador GLIGEN</translation>
    </message>
    <message>
      <source>a HiDream transformer</source>
      <translation>um transformer do HiDream</translation>
    </message>
    <message>
      <source>a Hunyuan-DiT transformer</source>
      <translation>um transformer do Hunyuan-DiT</translation>
    </message>
    <message>
      <source>a HunyuanVideo transformer</source>
      <translation>um transformer do HunyuanVideo</translation>
    </message>
    <message>
      <source>a Kandinsky 5 transformer</source>
      <translation>um transformer do Kandinsky 5</translation>
    </message>
    <message>
      <source>a Lumina or Z-Image transformer</source>
      <translation>um transformer do Lumina ou Z-Image</translation>
    </message>
    <message>
      <source>a Mochi transformer</source>
      <translation>um transformer do Mochi</translation>
    </message>
    <message>
      <source>a PhotoMaker</source>
      <translation>um PhotoMaker</translation>
    </message>
    <message>
      <source>a PixArt transformer</source>
      <translation>um transformer do PixArt</translation>
    </message>
    <message>
      <source>a Qwen-Image transformer</source>
      <translation>um transformer do Qwen-Image</translation>
    </message>
    <message>
      <source>a Sana transformer</source>
      <translation>um transformer do Sana</translation>
    </message>
    <message>
      <source>a Stable Audio model</source>
      <translation>um modelo do Stable Audio</translation>
    </message>
    <message>
      <source>a Stable Cascade model</source>
      <translation>um modelo do Stable Cascade</translation>
    </message>
    <message>
      <source>a Stable Diffusion 1, 2 or XL checkpoint</source>
      <translation>um checkpoint do Stable Diffusion 1, 2 ou XL</translation>
    </message>
    <message>
      <source>a Stable Diffusion XL checkpoint</source>
      <translation>um checkpoint do Stable Diffusion XL</translation>
    </message>
    <message>
      <source>a Stable Video Diffusion model</source>
      <translation>um modelo do Stable Video Diffusion</translation>
    </message>
    <message>
      <source>a T2I-Adapter</source>
      <translation>um T2I-Adapter</translation>
    </message>
    <message>
      <source>a T5 of another size or kind</source>
      <translation>um T5 de outro tamanho ou tipo</translation>
    </message>
    <message>
      <source>a VAE of Stable Diffusion 1, 2 or XL</source>
      <translation>um VAE do Stable Diffusion 1, 2 ou XL</translation>
    </message>
    <message>
      <source>a VAE of another model</source>
      <translation>um VAE de outro modelo</translation>
    </message>
    <message>
      <source>a Wan video transformer</source>
      <translation>um transformer de vídeo do Wan</translation>
    </message>
    <message>
      <source>a language model</source>
      <translation>um modelo de linguagem</translation>
    </message>
    <message>
      <source>a motion module of AnimateDiff</source>
      <translation>um módulo de movimento do AnimateDiff</translation>
    </message>
    <message>
      <source>a small VAE for previews (TAESD)</source>
      <translation>um VAE pequeno para prévias (TAESD)</translation>
    </message>
    <message>
      <source>a style model of Flux</source>
      <translation>um modelo de estilo do Flux</translation>
    </message>
    <message>
      <source>a text encoder of another model</source>
      <translation>um codificador de texto de outro modelo</translation>
    </message>
    <message>
      <source>a textual inversion</source>
      <translation>uma inversão textual</translation>
    </message>
    <message>
      <source>a transformer of a family that Laterna does not know</source>
      <translation>um transformer de uma família que o Laterna não conhece</translation>
    </message>
    <message>
      <source>a vision encoder</source>
      <translation>um codificador de visão</translation>
    </message>
    <message>
      <source>a vision-language model</source>
      <translation>um modelo de visão e linguagem</translation>
    </message>
    <message>
      <source>an ACE-Step model</source>
      <translation>um modelo do ACE-Step</translation>
    </message>
    <message>
      <source>an AuraFlow transformer</source>
      <translation>um transformer do AuraFlow</translation>
    </message>
    <message>
      <source>an IP-Adapter</source>
      <translation>um IP-Adapter</translation>
    </message>
    <message>
      <source>an LTX-Video or PixArt transformer</source>
      <translation>um transformer do LTX-Video ou PixArt</translation>
    </message>
    <message>
      <source>an LTX-Video transformer</source>
      <translation>um transformer do LTX-Video</translation>
    </message>
    <message>
      <source>an OmniGen transformer</source>
      <translation>um transformer do OmniGen</translation>
    </message>
    <message>
      <source>an upscaler</source>
      <translation>um ampliador</translation>
    </message>
    <message>
      <source>block streaming</source>
      <translation>transmissão por blocos</translation>
    </message>
    <message>
      <source>caches</source>
      <translation>caches</translation>
    </message>
    <message>
      <source>clips</source>
      <translation>clipes</translation>
    </message>
    <message>
      <source>data</source>
      <translation>dados</translation>
    </message>
    <message>
      <source>decoding</source>
      <translation>decodificar</translation>
    </message>
    <message>
      <source>denoising</source>
      <translation>remover o ruído</translation>
    </message>
    <message>
      <source>device</source>
      <translation>dispositivo</translation>
    </message>
    <message>
      <source>disk speed</source>
      <translation>velocidade do disco</translation>
    </message>
    <message>
      <source>disk streaming</source>
      <translation>transmissão do disco</translation>
    </message>
    <message>
      <source>exporting the clip</source>
      <translation>exportar o clipe</translation>
    </message>
    <message>
      <source>first frame</source>
      <translation>primeiro quadro</translation>
    </message>
    <message>
      <source>folders</source>
      <translation>pastas</translation>
    </message>
    <message>
      <source>guidance</source>
      <translation>orientação</translation>
    </message>
    <message>
      <source>hub</source>
      <translation>hub</translation>
    </message>
    <message>
      <source>in smaller pieces</source>
      <translation>em pedaços menores</translation>
    </message>
    <message>
      <source>it belongs to another recipe</source>
      <translation>ele pertence a outra receita</translation>
    </message>
    <message>
      <source>it is damaged</source>
      <translation>ele está danificado</translation>
    </message>
    <message>
      <source>it was saved by another version of Laterna</source>
      <translation>ele foi salvo por outra versão do Laterna</translation>
    </message>
    <message>
      <source>it was saved on another device</source>
      <translation>ele foi salvo em outro dispositivo</translation>
    </message>
    <message>
      <source>it was saved under another memory plan</source>
      <translation>ele foi salvo com outro plano de memória</translation>
    </message>
    <message>
      <source>it was saved with other versions of the libraries</source>
      <translation>ele foi salvo com outras versões das bibliotecas</translation>
    </message>
    <message>
      <source>kernels</source>
      <translation>kernels</translation>
    </message>
    <message>
      <source>keyring</source>
      <translation>chaveiro</translation>
    </message>
    <message>
      <source>link</source>
      <translation>ligação</translation>
    </message>
    <message>
      <source>logs</source>
      <translation>registros</translation>
    </message>
    <message>
      <source>memory</source>
      <translation>memória</translation>
    </message>
    <message>
      <source>models</source>
      <translation>modelos</translation>
    </message>
    <message>
      <source>more slowly</source>
      <translation>mais devagar</translation>
    </message>
    <message>
      <source>negative</source>
      <translation>negativo</translation>
    </message>
    <message>
      <source>of this picture</source>
      <translation>desta imagem</translation>
    </message>
    <message>
      <source>packages</source>
      <translation>pacotes</translation>
    </message>
    <message>
      <source>pictures and clips</source>
      <translation>imagens e clipes</translation>
    </message>
    <message>
      <source>positive</source>
      <translation>positivo</translation>
    </message>
    <message>
      <source>reading the prompt</source>
      <translation>ler o prompt</translation>
    </message>
    <message>
      <source>saving the clip</source>
      <translation>salvar o clipe</translation>
    </message>
    <message>
      <source>saving the copy</source>
      <translation>salvar a cópia</translation>
    </message>
    <message>
      <source>saving the frame</source>
      <translation>salvar o quadro</translation>
    </message>
    <message>
      <source>saving the picture</source>
      <translation>salvar a imagem</translation>
    </message>
    <message>
      <source>saving the settings</source>
      <translation>salvar as configurações</translation>
    </message>
    <message>
      <source>saving the style</source>
      <translation>salvar o estilo</translation>
    </message>
    <message>
      <source>settings</source>
      <translation>configurações</translation>
    </message>
    <message>
      <source>shift</source>
      <translation>deslocamento</translation>
    </message>
    <message>
      <source>space</source>
      <translation>espaço</translation>
    </message>
    <message>
      <source>stage by stage</source>
      <translation>etapa por etapa</translation>
    </message>
    <message>
      <source>start</source>
      <translation>início</translation>
    </message>
    <message>
      <source>steps</source>
      <translation>passos</translation>
    </message>
    <message>
      <source>support for this device</source>
      <translation>suporte para este dispositivo</translation>
    </message>
    <message>
      <source>the VAE of HunyuanVideo</source>
      <translation>o VAE do HunyuanVideo</translation>
    </message>
    <message>
      <source>the VAE of Wan or Qwen-Image</source>
      <translation>o VAE do Wan ou do Qwen-Image</translation>
    </message>
    <message>
      <source>the model's files have changed since</source>
      <translation>os arquivos do modelo mudaram desde então</translation>
    </message>
    <message>
      <source>the prompt is read in another way now</source>
      <translation>o prompt agora é lido de outra maneira</translation>
    </message>
    <message>
      <source>the result is put together from tiles, which may differ a little along their seams</source>
      <translation>o resultado é montado de blocos, que podem diferir um pouco nas emendas</translation>
    </message>
    <message>
      <source>window</source>
      <translation>janela</translation>
    </message>
    <message>
      <source>writing to the output folder</source>
      <translation>gravar na pasta de saída</translation>
    </message>
    <message>
      <source>--out is {}; a LoRA is a .safetensors file.</source>
      <translation>--out é {}; uma LoRA é um arquivo .safetensors.</translation>
    </message>
    <message>
      <source>A bug stopped this.</source>
      <translation>Um defeito interrompeu isto.</translation>
    </message>
    <message>
      <source>A clip of {} × {} pixels is too large.</source>
      <translation>Um clipe de {} × {} pixels é grande demais.</translation>
    </message>
    <message>
      <source>A command could not be read: {}.</source>
      <translation>Um comando não pôde ser lido: {}.</translation>
    </message>
    <message>
      <source>A denoise strength of {} makes no sense; {} is used.</source>
      <translation>Uma força de remoção de ruído de {} não faz sentido; usa-se {}.</translation>
    </message>
    <message>
      <source>A grid varies one or two different settings.</source>
      <translation>Uma grade varia um ou dois ajustes diferentes.</translation>
    </message>
    <message>
      <source>A mask says which part of a picture is made anew; there is no picture.</source>
      <translation>Uma máscara diz que parte de uma imagem é refeita; não há imagem.</translation>
    </message>
    <message>
      <source>A message of {} + {} bytes is too large to send.</source>
      <translation>Uma mensagem de {} + {} bytes é grande demais para enviar.</translation>
    </message>
    <message>
      <source>A model that does not fit in memory is read anew in every step: put the models on a faster disk (Settings, Models).</source>
      <translation>Um modelo que não cabe na memória é lido de novo a cada passo: ponha os modelos em um disco mais rápido (Configurações, Modelos).</translation>
    </message>
    <message>
      <source>A name is needed.</source>
      <translation>É preciso um nome.</translation>
    </message>
    <message>
      <source>A picture has no frames to be made smoother.</source>
      <translation>Uma imagem não tem quadros para tornar mais fluidos.</translation>
    </message>
    <message>
      <source>A prompt has {} characters; the first {} are used.</source>
      <translation>Um prompt tem {} caracteres; usam-se os primeiros {}.</translation>
    </message>
    <message>
      <source>A rating of {} does not exist.</source>
      <translation>Não existe avaliação {}.</translation>
    </message>
    <message>
      <source>A row of the library's index is damaged: {}.</source>
      <translation>Uma linha do índice da biblioteca está danificada: {}.</translation>
    </message>
    <message>
      <source>A second pass enlarged the picture (hires fix); the recipe is that of the first.</source>
      <translation>Uma segunda passada ampliou a imagem (hires fix); a receita é a da primeira.</translation>
    </message>
    <message>
      <source>A table of the database lost what is in it.</source>
      <translation>Uma tabela do banco de dados perdeu seu conteúdo.</translation>
    </message>
    <message>
      <source>A token is kept in the system's keyring.</source>
      <translation>O token é guardado no chaveiro do sistema.</translation>
    </message>
    <message>
      <source>A {} prompt has a strength of {}.</source>
      <translation>Um prompt {} tem intensidade {}.</translation>
    </message>
    <message>
      <source>A {} prompt has {} characters; the models read at most {}.</source>
      <translation>Um prompt {} tem {} caracteres; os modelos leem no máximo {}.</translation>
    </message>
    <message>
      <source>A {} prompt is averaged with weights that make no sense.</source>
      <translation>Um prompt {} é misturado com pesos que não fazem sentido.</translation>
    </message>
    <message>
      <source>A {} prompt's range must lie within 0 and 1.</source>
      <translation>O intervalo de um prompt {} deve ficar entre 0 e 1.</translation>
    </message>
    <message>
      <source>Accept the licence on {}, make a token on {}, and enter it: “models token”.</source>
      <translation>Aceite a licença em {}, crie um token em {} e informe-o: “models token”.</translation>
    </message>
    <message>
      <source>Add it to a model, among the LoRAs.</source>
      <translation>Junte-o a um modelo, entre os LoRAs.</translation>
    </message>
    <message>
      <source>Add less.</source>
      <translation>Acrescente menos.</translation>
    </message>
    <message>
      <source>All {} folders can be written.</source>
      <translation>Todas as {} pastas podem ser gravadas.</translation>
    </message>
    <message>
      <source>An event could not be read: {}.</source>
      <translation>Um evento não pôde ser lido: {}.</translation>
    </message>
    <message>
      <source>Another Laterna is changing the models in {}.</source>
      <translation>Outro Laterna está alterando os modelos em {}.</translation>
    </message>
    <message>
      <source>Another Laterna is downloading into {}.</source>
      <translation>Outro Laterna está baixando para {}.</translation>
    </message>
    <message>
      <source>Another Laterna window has this library open.</source>
      <translation>Outra janela do Laterna está com esta biblioteca aberta.</translation>
    </message>
    <message>
      <source>Ask whoever runs it, or use another proxy in HTTPS_PROXY.</source>
      <translation>Fale com quem o administra, ou use outro proxy em HTTPS_PROXY.</translation>
    </message>
    <message>
      <source>At {} frames a second it would have {} frames: too many.</source>
      <translation>A {} quadros por segundo, ele teria {} quadros: demais.</translation>
    </message>
    <message>
      <source>Attention is computed by plain products.</source>
      <translation>A atenção é calculada por produtos simples.</translation>
    </message>
    <message>
      <source>Attention is computed by: {}.</source>
      <translation>A atenção é calculada por: {}.</translation>
    </message>
    <message>
      <source>Below the settings stands “{}”: the prompt is what came of it.</source>
      <translation>Abaixo das configurações está “{}”: o prompt é o que resultou disso.</translation>
    </message>
    <message>
      <source>Check HF_ENDPOINT, and whether this network wants a login.</source>
      <translation>Verifique HF_ENDPOINT e se esta rede exige login.</translation>
    </message>
    <message>
      <source>Check HF_ENDPOINT.</source>
      <translation>Verifique HF_ENDPOINT.</translation>
    </message>
    <message>
      <source>Check HTTPS_PROXY and the network.</source>
      <translation>Verifique HTTPS_PROXY e a rede.</translation>
    </message>
    <message>
      <source>Check that the folder exists.</source>
      <translation>Verifique se a pasta existe.</translation>
    </message>
    <message>
      <source>Check the computer's clock, and the proxy.</source>
      <translation>Verifique o relógio do computador e o proxy.</translation>
    </message>
    <message>
      <source>Check the computer's clock. Where your organisation inspects connections, point SSL_CERT_FILE to its certificate.</source>
      <translation>Verifique o relógio do computador. Se a sua organização inspeciona conexões, aponte SSL_CERT_FILE para o certificado dela.</translation>
    </message>
    <message>
      <source>Check the folder and the disk.</source>
      <translation>Verifique a pasta e o disco.</translation>
    </message>
    <message>
      <source>Check the model's files on the models page; if they are whole, try a lower guidance.</source>
      <translation>Verifique os arquivos do modelo na página de modelos; se estiverem íntegros, tente uma orientação menor.</translation>
    </message>
    <message>
      <source>Check the name and your permission.</source>
      <translation>Verifique o nome e a sua permissão.</translation>
    </message>
    <message>
      <source>Check the name, or start the training anew.</source>
      <translation>Verifique o nome, ou comece o treinamento de novo.</translation>
    </message>
    <message>
      <source>Check the network and the proxy; the download goes on where it was.</source>
      <translation>Verifique a rede e o proxy; o download continua de onde parou.</translation>
    </message>
    <message>
      <source>Check the network, and HTTPS_PROXY where this network has a proxy.</source>
      <translation>Verifique a rede, e HTTPS_PROXY se esta rede tiver um proxy.</translation>
    </message>
    <message>
      <source>Check the new disk, and try again.</source>
      <translation>Verifique o novo disco e tente de novo.</translation>
    </message>
    <message>
      <source>Check the path.</source>
      <translation>Verifique o caminho.</translation>
    </message>
    <message>
      <source>Check your permission.</source>
      <translation>Verifique a sua permissão.</translation>
    </message>
    <message>
      <source>Choose a .safetensors or .gguf file.</source>
      <translation>Escolha um arquivo .safetensors ou .gguf.</translation>
    </message>
    <message>
      <source>Choose a LoRA in safetensors format.</source>
      <translation>Escolha uma LoRA no formato safetensors.</translation>
    </message>
    <message>
      <source>Choose a LoRA that was made for this model.</source>
      <translation>Escolha uma LoRA feita para este modelo.</translation>
    </message>
    <message>
      <source>Choose a LoRA's .safetensors file.</source>
      <translation>Escolha o arquivo .safetensors de uma LoRA.</translation>
    </message>
    <message>
      <source>Choose a PNG or MP4.</source>
      <translation>Escolha um PNG ou MP4.</translation>
    </message>
    <message>
      <source>Choose a PNG.</source>
      <translation>Escolha um PNG.</translation>
    </message>
    <message>
      <source>Choose a clip as it was saved.</source>
      <translation>Escolha um clipe como ele foi salvo.</translation>
    </message>
    <message>
      <source>Choose a clip.</source>
      <translation>Escolha um clipe.</translation>
    </message>
    <message>
      <source>Choose a file that Laterna made.</source>
      <translation>Escolha um arquivo feito pelo Laterna.</translation>
    </message>
    <message>
      <source>Choose a folder in diffusers layout (it holds model_index.json).</source>
      <translation>Escolha uma pasta no formato do diffusers (que contém model_index.json).</translation>
    </message>
    <message>
      <source>Choose a folder in diffusers layout, a .safetensors or .gguf file, the models folder of another program, or a Hugging Face cache.</source>
      <translation>Escolha uma pasta no formato do diffusers, um arquivo .safetensors ou .gguf, a pasta de modelos de outro programa ou um cache do Hugging Face.</translation>
    </message>
    <message>
      <source>Choose a folder in diffusers layout, or download the model.</source>
      <translation>Escolha uma pasta no formato do diffusers, ou baixe o modelo.</translation>
    </message>
    <message>
      <source>Choose a folder that you can write to.</source>
      <translation>Escolha uma pasta em que você possa gravar.</translation>
    </message>
    <message>
      <source>Choose a lower seed.</source>
      <translation>Escolha uma semente menor.</translation>
    </message>
    <message>
      <source>Choose a mask of the picture's shape.</source>
      <translation>Escolha uma máscara com a forma da imagem.</translation>
    </message>
    <message>
      <source>Choose a mask.</source>
      <translation>Escolha uma máscara.</translation>
    </message>
    <message>
      <source>Choose a network that makes colour pictures 2 to 8 times larger, such as an ESRGAN or a SwinIR.</source>
      <translation>Escolha uma rede que torne imagens coloridas de 2 a 8 vezes maiores, como uma ESRGAN ou uma SwinIR.</translation>
    </message>
    <message>
      <source>Choose a picture, or a workflow as JSON.</source>
      <translation>Escolha uma imagem, ou um fluxo de trabalho em JSON.</translation>
    </message>
    <message>
      <source>Choose a shorter part, or a smaller size.</source>
      <translation>Escolha uma parte mais curta ou um tamanho menor.</translation>
    </message>
    <message>
      <source>Choose a smaller file.</source>
      <translation>Escolha um arquivo menor.</translation>
    </message>
    <message>
      <source>Choose a smaller network.</source>
      <translation>Escolha uma rede menor.</translation>
    </message>
    <message>
      <source>Choose a smaller one.</source>
      <translation>Escolha um menor.</translation>
    </message>
    <message>
      <source>Choose a smaller scale, or switch it off.</source>
      <translation>Escolha uma escala menor ou desligue a ampliação.</translation>
    </message>
    <message>
      <source>Choose a smaller size, fewer frames or a smaller batch, or close other programs.</source>
      <translation>Escolha um tamanho menor, menos quadros ou um lote menor, ou feche outros programas.</translation>
    </message>
    <message>
      <source>Choose a smaller size.</source>
      <translation>Escolha um tamanho menor.</translation>
    </message>
    <message>
      <source>Choose a workflow or a picture.</source>
      <translation>Escolha um fluxo de trabalho ou uma imagem.</translation>
    </message>
    <message>
      <source>Choose a workflow that ComfyUI can run.</source>
      <translation>Escolha um fluxo de trabalho que o ComfyUI possa executar.</translation>
    </message>
    <message>
      <source>Choose a workflow that ComfyUI saved, or a picture that has one.</source>
      <translation>Escolha um fluxo de trabalho salvo pelo ComfyUI, ou uma imagem que contenha um.</translation>
    </message>
    <message>
      <source>Choose a workflow that ComfyUI saved.</source>
      <translation>Escolha um fluxo de trabalho salvo pelo ComfyUI.</translation>
    </message>
    <message>
      <source>Choose a workflow, or a picture that has one.</source>
      <translation>Escolha um fluxo de trabalho, ou uma imagem que contenha um.</translation>
    </message>
    <message>
      <source>Choose a {} model, or start from that model's own settings.</source>
      <translation>Escolha um modelo {}, ou parta dos ajustes do próprio modelo.</translation>
    </message>
    <message>
      <source>Choose an empty folder.</source>
      <translation>Escolha uma pasta vazia.</translation>
    </message>
    <message>
      <source>Choose an upscaler's file.</source>
      <translation>Escolha o arquivo de um ampliador.</translation>
    </message>
    <message>
      <source>Choose another --home.</source>
      <translation>Escolha outro --home.</translation>
    </message>
    <message>
      <source>Choose another file, or get a fresh copy of it.</source>
      <translation>Escolha outro arquivo, ou obtenha uma nova cópia dele.</translation>
    </message>
    <message>
      <source>Choose another file.</source>
      <translation>Escolha outro arquivo.</translation>
    </message>
    <message>
      <source>Choose another folder.</source>
      <translation>Escolha outra pasta.</translation>
    </message>
    <message>
      <source>Choose another in and out point.</source>
      <translation>Escolha outro ponto de entrada e de saída.</translation>
    </message>
    <message>
      <source>Choose another model.</source>
      <translation>Escolha outro modelo.</translation>
    </message>
    <message>
      <source>Choose another number.</source>
      <translation>Escolha outro número.</translation>
    </message>
    <message>
      <source>Choose another picture, or take it out.</source>
      <translation>Escolha outra imagem, ou tire-a.</translation>
    </message>
    <message>
      <source>Choose another source.</source>
      <translation>Escolha outra fonte.</translation>
    </message>
    <message>
      <source>Choose another upscaler, or get its file again.</source>
      <translation>Escolha outro ampliador ou baixe o arquivo dele de novo.</translation>
    </message>
    <message>
      <source>Choose another.</source>
      <translation>Escolha outro.</translation>
    </message>
    <message>
      <source>Choose int8.</source>
      <translation>Escolha int8.</translation>
    </message>
    <message>
      <source>Choose it again, or take it out.</source>
      <translation>Escolha-o de novo, ou retire-o.</translation>
    </message>
    <message>
      <source>Choose it again.</source>
      <translation>Escolha de novo.</translation>
    </message>
    <message>
      <source>Choose letters and digits.</source>
      <translation>Escolha letras e algarismos.</translation>
    </message>
    <message>
      <source>Choose one above 0, up to {}.</source>
      <translation>Escolha um acima de 0, até {}.</translation>
    </message>
    <message>
      <source>Choose one first.</source>
      <translation>Escolha um primeiro.</translation>
    </message>
    <message>
      <source>Choose one for {}.</source>
      <translation>Escolha um para {}.</translation>
    </message>
    <message>
      <source>Choose one frame, or a video model.</source>
      <translation>Escolha um quadro, ou um modelo de vídeo.</translation>
    </message>
    <message>
      <source>Choose one of them.</source>
      <translation>Escolha uma delas.</translation>
    </message>
    <message>
      <source>Choose one of: {}.</source>
      <translation>Escolha um destes: {}.</translation>
    </message>
    <message>
      <source>Choose one that opens elsewhere: {}.</source>
      <translation>Escolha uma que abra em outros programas: {}.</translation>
    </message>
    <message>
      <source>Choose one.</source>
      <translation>Escolha um.</translation>
    </message>
    <message>
      <source>Choose other values.</source>
      <translation>Escolha outros valores.</translation>
    </message>
    <message>
      <source>Choose that of Stable Diffusion 3.5.</source>
      <translation>Escolha o do Stable Diffusion 3.5.</translation>
    </message>
    <message>
      <source>Choose the file again.</source>
      <translation>Escolha o arquivo de novo.</translation>
    </message>
    <message>
      <source>Choose the model's file, or the ComfyUI models folder that holds both.</source>
      <translation>Escolha o arquivo do modelo, ou a pasta de modelos do ComfyUI que contém ambos.</translation>
    </message>
    <message>
      <source>Choose the picture again.</source>
      <translation>Escolha a imagem de novo.</translation>
    </message>
    <message>
      <source>Choose the picture that the clip begins with.</source>
      <translation>Escolha a imagem com que o clipe começa.</translation>
    </message>
    <message>
      <source>Choose the upscaler again.</source>
      <translation>Escolha o ampliador de novo.</translation>
    </message>
    <message>
      <source>Choose them anew.</source>
      <translation>Escolha-os de novo.</translation>
    </message>
    <message>
      <source>Choose them.</source>
      <translation>Escolha-os.</translation>
    </message>
    <message>
      <source>Clip skip is {}; these models always take CLIP's last layer but one.</source>
      <translation>Clip skip é {}; estes modelos usam sempre a penúltima camada do CLIP.</translation>
    </message>
    <message>
      <source>Clips are encoded by x264.</source>
      <translation>Os clipes são codificados por x264.</translation>
    </message>
    <message>
      <source>Clips cannot be saved: {}.</source>
      <translation>Os clipes não podem ser salvos: {}.</translation>
    </message>
    <message>
      <source>Close it, or start this one with another --home.</source>
      <translation>Feche-a, ou inicie esta com outro --home.</translation>
    </message>
    <message>
      <source>Compare it with the output of `train show`.</source>
      <translation>Compare com a saída de `train show`.</translation>
    </message>
    <message>
      <source>Compiling the model failed; it runs as usual.</source>
      <translation>A compilação do modelo falhou; ele roda como de costume.</translation>
    </message>
    <message>
      <source>Connect its disk, or import it again.</source>
      <translation>Conecte o disco, ou importe de novo.</translation>
    </message>
    <message>
      <source>Connect that disk, or delete {}.</source>
      <translation>Conecte esse disco, ou exclua {}.</translation>
    </message>
    <message>
      <source>Copy it again.</source>
      <translation>Copie de novo.</translation>
    </message>
    <message>
      <source>Decoding gave numbers that are not finite: the result would be black, and is not saved.</source>
      <translation>A decodificação deu números que não são finitos: o resultado seria preto e não é salvo.</translation>
    </message>
    <message>
      <source>Delete the file and enter the token again.</source>
      <translation>Exclua o arquivo e informe o token de novo.</translation>
    </message>
    <message>
      <source>Delete the folder .venv, then run: {}.</source>
      <translation>Apague a pasta .venv e execute: {}.</translation>
    </message>
    <message>
      <source>Delete the folder {} and try again.</source>
      <translation>Exclua a pasta {} e tente de novo.</translation>
    </message>
    <message>
      <source>Delete {}.</source>
      <translation>Exclua {}.</translation>
    </message>
    <message>
      <source>Delete “laterna” in it.</source>
      <translation>Exclua “laterna” nele.</translation>
    </message>
    <message>
      <source>Download the missing files, or the model again.</source>
      <translation>Baixe os arquivos que faltam, ou o modelo de novo.</translation>
    </message>
    <message>
      <source>Download the model again.</source>
      <translation>Baixe o modelo de novo.</translation>
    </message>
    <message>
      <source>Downloaded models: {}.</source>
      <translation>Modelos baixados: {}.</translation>
    </message>
    <message>
      <source>Draw it with fewer.</source>
      <translation>Desenhe-a com menos.</translation>
    </message>
    <message>
      <source>Drop a file that Laterna made.</source>
      <translation>Solte um arquivo feito pelo Laterna.</translation>
    </message>
    <message>
      <source>Dynamic guidance already changes over the steps.</source>
      <translation>A orientação dinâmica já muda ao longo dos passos.</translation>
    </message>
    <message>
      <source>Encoding the picture gave numbers that are not finite: all that is made from it would be black.</source>
      <translation>A codificação da imagem deu números que não são finitos: tudo o que se faz a partir dela seria preto.</translation>
    </message>
    <message>
      <source>Experiments: {}.</source>
      <translation>Experimentos: {}.</translation>
    </message>
    <message>
      <source>Fooocus' styles {} add words of their own; the prompt is as it was typed.</source>
      <translation>Os estilos {} do Fooocus acrescentam palavras próprias; o prompt está como foi digitado.</translation>
    </message>
    <message>
      <source>Forecasts are rougher until then.</source>
      <translation>Até lá as previsões são mais grosseiras.</translation>
    </message>
    <message>
      <source>Free some space and try again.</source>
      <translation>Libere espaço e tente de novo.</translation>
    </message>
    <message>
      <source>Free some space, or choose another folder, and try again.</source>
      <translation>Libere espaço, ou escolha outra pasta, e tente de novo.</translation>
    </message>
    <message>
      <source>Free {} there, or move the models to another disk.</source>
      <translation>Libere {} ali, ou mova os modelos para outro disco.</translation>
    </message>
    <message>
      <source>GGUF weights of the type {} cannot be read.</source>
      <translation>Pesos GGUF do tipo {} não podem ser lidos.</translation>
    </message>
    <message>
      <source>Get Laterna again: its small models come with it.</source>
      <translation>Obtenha o Laterna de novo: os modelos pequenos vêm com ele.</translation>
    </message>
    <message>
      <source>Get Q8_0 or Q4_K instead.</source>
      <translation>Obtenha Q8_0 ou Q4_K.</translation>
    </message>
    <message>
      <source>Get a fresh copy of it.</source>
      <translation>Obtenha uma nova cópia dele.</translation>
    </message>
    <message>
      <source>Get it again.</source>
      <translation>Obtenha-o de novo.</translation>
    </message>
    <message>
      <source>Get it as Q4_K or Q8_0.</source>
      <translation>Obtenha-o como Q4_K ou Q8_0.</translation>
    </message>
    <message>
      <source>Get it with “models download {}”, or name a folder that holds {}.</source>
      <translation>Obtenha-o com “models download {}”, ou indique uma pasta que contenha {}.</translation>
    </message>
    <message>
      <source>Get one of the 3.5 models.</source>
      <translation>Obtenha um dos modelos 3.5.</translation>
    </message>
    <message>
      <source>Get one of the models by Zhipu AI.</source>
      <translation>Obtenha um dos modelos da Zhipu AI.</translation>
    </message>
    <message>
      <source>Get the file again.</source>
      <translation>Obtenha o arquivo de novo.</translation>
    </message>
    <message>
      <source>Get the model again.</source>
      <translation>Obtenha o modelo de novo.</translation>
    </message>
    <message>
      <source>Get the model as safetensors.</source>
      <translation>Obtenha o modelo em safetensors.</translation>
    </message>
    <message>
      <source>Get the model from a source that needs no code.</source>
      <translation>Obtenha o modelo de uma fonte que não exija código.</translation>
    </message>
    <message>
      <source>Get the model from another source.</source>
      <translation>Obtenha o modelo de outra fonte.</translation>
    </message>
    <message>
      <source>Get the same LoRA as .safetensors.</source>
      <translation>Obtenha o mesmo LoRA como .safetensors.</translation>
    </message>
    <message>
      <source>Get the same model as .safetensors.</source>
      <translation>Obtenha o mesmo modelo em .safetensors.</translation>
    </message>
    <message>
      <source>Get the same network as .safetensors.</source>
      <translation>Obtenha a mesma rede como .safetensors.</translation>
    </message>
    <message>
      <source>Give a number.</source>
      <translation>Informe um número.</translation>
    </message>
    <message>
      <source>Give each job its own id.</source>
      <translation>Dê a cada trabalho o próprio identificador.</translation>
    </message>
    <message>
      <source>Give the import another name.</source>
      <translation>Dê outro nome à importação.</translation>
    </message>
    <message>
      <source>Give yourself the right to write there, or name another folder: --home DIR.</source>
      <translation>Dê a si o direito de gravar ali, ou indique outra pasta: --home PASTA.</translation>
    </message>
    <message>
      <source>Go on from an earlier one, or start anew.</source>
      <translation>Continue de um anterior, ou comece de novo.</translation>
    </message>
    <message>
      <source>Guidance stays within 0 and {}.</source>
      <translation>A orientação fica entre 0 e {}.</translation>
    </message>
    <message>
      <source>Guidance that changes over the steps is not in this Laterna yet; {} is used.</source>
      <translation>Orientação que muda ao longo dos passos ainda não existe neste Laterna; usa-se {}.</translation>
    </message>
    <message>
      <source>HF_ENDPOINT is {}, which is no address.</source>
      <translation>HF_ENDPOINT é {}, que não é um endereço.</translation>
    </message>
    <message>
      <source>Import it again.</source>
      <translation>Importe-o de novo.</translation>
    </message>
    <message>
      <source>Import its file, or choose another one.</source>
      <translation>Importe o arquivo dele ou escolha outro.</translation>
    </message>
    <message>
      <source>Import its whole folder, or download the model.</source>
      <translation>Importe a pasta inteira, ou baixe o modelo.</translation>
    </message>
    <message>
      <source>Import the model again.</source>
      <translation>Importe o modelo de novo.</translation>
    </message>
    <message>
      <source>Install Laterna again.</source>
      <translation>Instale o Laterna de novo.</translation>
    </message>
    <message>
      <source>Install Laterna anew: {} --force-reinstall laterna.</source>
      <translation>Instale o Laterna de novo: {} --force-reinstall laterna.</translation>
    </message>
    <message>
      <source>Install the same Laterna on both sides, and start it again.</source>
      <translation>Instale o mesmo Laterna nos dois lados e inicie-o de novo.</translation>
    </message>
    <message>
      <source>InvokeAI's option {} {}: a recipe has no place for it.</source>
      <translation>Opção {} {} do InvokeAI: uma receita não tem lugar para ela.</translation>
    </message>
    <message>
      <source>InvokeAI's weights, such as word++ or (word)1.2, are read as plain characters.</source>
      <translation>Os pesos do InvokeAI, como word++ ou (word)1.2, são lidos como caracteres comuns.</translation>
    </message>
    <message>
      <source>It does not reach the {}: the card's driver is too old.</source>
      <translation>Ele não alcança a {}: o driver da placa é antigo demais.</translation>
    </message>
    <message>
      <source>It fails on the card: {}.</source>
      <translation>Ele falha na placa: {}.</translation>
    </message>
    <message>
      <source>It goes on where it was when you start it again.</source>
      <translation>Continua de onde parou quando você iniciar de novo.</translation>
    </message>
    <message>
      <source>It goes with a model; choose that.</source>
      <translation>Ele acompanha um modelo; escolha o modelo.</translation>
    </message>
    <message>
      <source>It goes with a model; it is none.</source>
      <translation>Ele acompanha um modelo; não é um.</translation>
    </message>
    <message>
      <source>It has: {}.</source>
      <translation>Ele tem: {}.</translation>
    </message>
    <message>
      <source>It is started again by itself.</source>
      <translation>Ele é iniciado de novo sozinho.</translation>
    </message>
    <message>
      <source>It is {} in Laterna's list of models.</source>
      <translation>É {} na lista de modelos do Laterna.</translation>
    </message>
    <message>
      <source>It runs {}.</source>
      <translation>Ele executa {}.</translation>
    </message>
    <message>
      <source>It starts from the picture “{}” with a denoise strength of {}.</source>
      <translation>Parte da imagem “{}” com uma força de remoção de ruído de {}.</translation>
    </message>
    <message>
      <source>It was not built for a card like the {} (compute capability {}).</source>
      <translation>Ele não foi feito para uma placa como a {} (capacidade de computação {}).</translation>
    </message>
    <message>
      <source>Its driver is {}.</source>
      <translation>O driver dela é {}.</translation>
    </message>
    <message>
      <source>Its state is on {}. Try again later.</source>
      <translation>A situação dele está em {}. Tente mais tarde.</translation>
    </message>
    <message>
      <source>Keep its points in order, above 0 and up to 1, and its scales from 0 to {}.</source>
      <translation>Mantenha os pontos em ordem, acima de 0 e até 1, e as escalas de 0 a {}.</translation>
    </message>
    <message>
      <source>Keep the scale from 0 to {} and the window within 0 and 1.</source>
      <translation>Mantenha a escala de 0 a {} e a janela entre 0 e 1.</translation>
    </message>
    <message>
      <source>Keep to {} averages, with weights from 0 to 1.</source>
      <translation>Fique em {} médias, com pesos de 0 a 1.</translation>
    </message>
    <message>
      <source>Keep to {}.</source>
      <translation>Fique em {}.</translation>
    </message>
    <message>
      <source>Kinds: {}.</source>
      <translation>Tipos: {}.</translation>
    </message>
    <message>
      <source>Known models: {}.</source>
      <translation>Modelos conhecidos: {}.</translation>
    </message>
    <message>
      <source>Laterna cannot read {}, so there is no recipe in this workflow.</source>
      <translation>O Laterna não consegue ler {}, por isso não há receita neste fluxo de trabalho.</translation>
    </message>
    <message>
      <source>Laterna cannot train LoRAs for {} yet.</source>
      <translation>O Laterna ainda não treina LoRAs para {}.</translation>
    </message>
    <message>
      <source>Laterna does not know the model “{}”; its settings are read as for {}, and the picture will be another.</source>
      <translation>O Laterna não conhece o modelo “{}”; suas configurações são lidas como para {}, e a imagem será outra.</translation>
    </message>
    <message>
      <source>Laterna does not know the sampler “{}”; euler it is.</source>
      <translation>O Laterna não conhece o sampler “{}”; fica euler.</translation>
    </message>
    <message>
      <source>Laterna does not know the scheduler “{}”; {} it is.</source>
      <translation>O Laterna não conhece o scheduler “{}”; fica {}.</translation>
    </message>
    <message>
      <source>Laterna has no {}; {} is its nearest relative.</source>
      <translation>O Laterna não tem {}; {} é o parente mais próximo.</translation>
    </message>
    <message>
      <source>Laterna leaves out {}.</source>
      <translation>O Laterna deixa de fora {}.</translation>
    </message>
    <message>
      <source>Laterna runs {}.</source>
      <translation>O Laterna executa {}.</translation>
    </message>
    <message>
      <source>Laterna {}, Python {}, {}.</source>
      <translation>Laterna {}, Python {}, {}.</translation>
    </message>
    <message>
      <source>Leave out its text.</source>
      <translation>Deixe o texto de fora.</translation>
    </message>
    <message>
      <source>Licences: {}.</source>
      <translation>Licenças: {}.</translation>
    </message>
    <message>
      <source>Look at {}; if it is there, make a token on {} and enter it: “models token”.</source>
      <translation>Veja {}; se estiver lá, crie um token em {} e informe-o: “models token”.</translation>
    </message>
    <message>
      <source>Look in the system's trash.</source>
      <translation>Procure na lixeira do sistema.</translation>
    </message>
    <message>
      <source>Look in the trash, or remove it from the library.</source>
      <translation>Procure na lixeira, ou remova-o da biblioteca.</translation>
    </message>
    <message>
      <source>Make a new one on {} and enter it: “models token”.</source>
      <translation>Crie um novo em {} e informe-o: “models token”.</translation>
    </message>
    <message>
      <source>Margin, feather and what is added at the sides must be from 0 to {} pixels.</source>
      <translation>A margem, a borda suave e o que é acrescentado aos lados devem ser de 0 a {} pixels.</translation>
    </message>
    <message>
      <source>Memory ran out while {}. The job goes on from there with less of it: {}.</source>
      <translation>A memória acabou ao {}. A tarefa segue dali com menos: {}.</translation>
    </message>
    <message>
      <source>Models are not compiled: {} is missing on this computer.</source>
      <translation>Os modelos não são compilados: falta {} neste computador.</translation>
    </message>
    <message>
      <source>Models here: {}. In the catalogue: {}. Or name a folder.</source>
      <translation>Modelos aqui: {}. No catálogo: {}. Ou indique uma pasta.</translation>
    </message>
    <message>
      <source>Models that are here work; none can be downloaded.</source>
      <translation>Os modelos que estão aqui funcionam; nenhum pode ser baixado.</translation>
    </message>
    <message>
      <source>Move the models again.</source>
      <translation>Mova os modelos de novo.</translation>
    </message>
    <message>
      <source>Name a .safetensors file.</source>
      <translation>Indique um arquivo .safetensors.</translation>
    </message>
    <message>
      <source>Name layers from 0 to {}.</source>
      <translation>Indique camadas de 0 a {}.</translation>
    </message>
    <message>
      <source>Name the folder of a model: --model FOLDER.</source>
      <translation>Indique a pasta de um modelo: --model PASTA.</translation>
    </message>
    <message>
      <source>Name the folder with the pictures: --data FOLDER.</source>
      <translation>Indique a pasta com as imagens: --data PASTA.</translation>
    </message>
    <message>
      <source>No node saves the picture; {} is taken.</source>
      <translation>Nenhum nó salva a imagem; usa-se {}.</translation>
    </message>
    <message>
      <source>No permission for {}{}.</source>
      <translation>Sem permissão para {}{}.</translation>
    </message>
    <message>
      <source>No prompt is connected; an empty one is used.</source>
      <translation>Nenhum prompt está conectado; usa-se um vazio.</translation>
    </message>
    <message>
      <source>No sampler is connected; euler is used.</source>
      <translation>Nenhum sampler está conectado; usa-se euler.</translation>
    </message>
    <message>
      <source>No schedule is connected; 20 steps of simple are used.</source>
      <translation>Nenhuma programação está conectada; usam-se 20 passos de simple.</translation>
    </message>
    <message>
      <source>No upscaler is named for it.</source>
      <translation>Nenhum ampliador foi indicado para isso.</translation>
    </message>
    <message>
      <source>No {} prompt covers {} of the schedule; Laterna puts a zeroed one there.</source>
      <translation>Nenhum prompt {} cobre {} da programação; o Laterna põe ali um zerado.</translation>
    </message>
    <message>
      <source>No {} prompt covers {} to {} of the schedule.</source>
      <translation>Nenhum prompt {} cobre de {} a {} do cronograma.</translation>
    </message>
    <message>
      <source>Not part of this picture: {}.</source>
      <translation>Não faz parte desta imagem: {}.</translation>
    </message>
    <message>
      <source>Nothing of it was fetched. Choose another source.</source>
      <translation>Nada dele foi buscado. Escolha outra fonte.</translation>
    </message>
    <message>
      <source>Nothing says which part of the picture is to be made anew.</source>
      <translation>Nada diz que parte da imagem deve ser refeita.</translation>
    </message>
    <message>
      <source>Nothing was written.</source>
      <translation>Nada foi gravado.</translation>
    </message>
    <message>
      <source>NovelAI's characters have places in the picture; their words are read as one prompt.</source>
      <translation>Os personagens do NovelAI têm lugares na imagem; suas palavras são lidas como um só prompt.</translation>
    </message>
    <message>
      <source>Of the {} prompts this Laterna uses the first alone, over the whole schedule.</source>
      <translation>Dos prompts do lado {}, este Laterna usa só o primeiro, em toda a programação.</translation>
    </message>
    <message>
      <source>Of {} samplers {} was picked: it feeds {}.</source>
      <translation>De {} samplers foi escolhido {}: ele alimenta {}.</translation>
    </message>
    <message>
      <source>Of {} samplers {} was picked: no other follows it.</source>
      <translation>De {} samplers foi escolhido {}: nenhum outro vem depois.</translation>
    </message>
    <message>
      <source>Of {} {} prompts the first {} are used.</source>
      <translation>De {} prompts do lado {}, usam-se os primeiros {}.</translation>
    </message>
    <message>
      <source>On {} allow it “read access to public gated repositories”, or make one of the kind “read”.</source>
      <translation>Em {} permita “read access to public gated repositories”, ou crie um do tipo “read”.</translation>
    </message>
    <message>
      <source>Only imported upscalers can be removed.</source>
      <translation>Só ampliadores importados podem ser removidos.</translation>
    </message>
    <message>
      <source>Open {}, accept it there, and try again.</source>
      <translation>Abra {}, aceite lá e tente de novo.</translation>
    </message>
    <message>
      <source>Paint where it should be.</source>
      <translation>Pinte onde deve ser.</translation>
    </message>
    <message>
      <source>Pictures are computed by the processor, {}, with {} threads.</source>
      <translation>As imagens são calculadas pelo processador, {}, com {} threads.</translation>
    </message>
    <message>
      <source>Products in 8 bits are here.</source>
      <translation>Há produtos em 8 bits.</translation>
    </message>
    <message>
      <source>Put a text file {}.txt into the wildcards folder, or take __{}__ out.</source>
      <translation>Coloque um arquivo de texto {}.txt na pasta de curingas ou retire __{}__.</translation>
    </message>
    <message>
      <source>Put it into {}, or choose its file in the form.</source>
      <translation>Coloque-o em {} ou escolha o arquivo no formulário.</translation>
    </message>
    <message>
      <source>Put some there: {}.</source>
      <translation>Ponha alguns lá: {}.</translation>
    </message>
    <message>
      <source>Put the folder {} next to it.</source>
      <translation>Coloque a pasta {} ao lado dela.</translation>
    </message>
    <message>
      <source>Put the original {} there, or choose this one anew.</source>
      <translation>Ponha o original {} lá, ou escolha este de novo.</translation>
    </message>
    <message>
      <source>Put user and password into HTTPS_PROXY: http://user:password@host:port.</source>
      <translation>Ponha usuário e senha em HTTPS_PROXY: http://user:password@host:port.</translation>
    </message>
    <message>
      <source>PySide6 {} crashes under Python 3.11.</source>
      <translation>O PySide6 {} quebra com o Python 3.11.</translation>
    </message>
    <message>
      <source>PyTorch cannot be loaded: {}.</source>
      <translation>O PyTorch não pode ser carregado: {}.</translation>
    </message>
    <message>
      <source>PyTorch did not answer in {} s: the card's driver hangs.</source>
      <translation>O PyTorch não respondeu em {} s: o driver da placa travou.</translation>
    </message>
    <message>
      <source>PyTorch {}, built for {}, is here.</source>
      <translation>O PyTorch {}, feito para {}, está aqui.</translation>
    </message>
    <message>
      <source>PyTorch's process could not be started: {}.</source>
      <translation>O processo do PyTorch não pôde ser iniciado: {}.</translation>
    </message>
    <message>
      <source>PyTorch's process gave no report.</source>
      <translation>O processo do PyTorch não deu resposta.</translation>
    </message>
    <message>
      <source>Python {} lacks: {}.</source>
      <translation>Faltam ao Python {}: {}.</translation>
    </message>
    <message>
      <source>Rank {} of {} makes no sense.</source>
      <translation>O posto {} de {} não faz sentido.</translation>
    </message>
    <message>
      <source>Read it ({}), then accept it: “models licence {} --accept”.</source>
      <translation>Leia-a ({}), depois aceite: “models licence {} --accept”.</translation>
    </message>
    <message>
      <source>Reading the prompt gave numbers that are not finite: all that is made with it would be black.</source>
      <translation>A leitura do prompt deu números que não são finitos: tudo o que se faz com ele seria preto.</translation>
    </message>
    <message>
      <source>Reading {} ended without an answer.</source>
      <translation>A leitura de {} terminou sem resposta.</translation>
    </message>
    <message>
      <source>Remove the file, or get the model again.</source>
      <translation>Remova o arquivo, ou obtenha o modelo de novo.</translation>
    </message>
    <message>
      <source>Remove the file.</source>
      <translation>Remova o arquivo.</translation>
    </message>
    <message>
      <source>Remove the model and download it again.</source>
      <translation>Remova o modelo e baixe-o de novo.</translation>
    </message>
    <message>
      <source>Remove the others.</source>
      <translation>Remova os outros.</translation>
    </message>
    <message>
      <source>Run it again.</source>
      <translation>Execute-o de novo.</translation>
    </message>
    <message>
      <source>Run the job again.</source>
      <translation>Execute o trabalho de novo.</translation>
    </message>
    <message>
      <source>Run the job again; if it happens again, report it.</source>
      <translation>Execute o trabalho de novo; se acontecer outra vez, relate.</translation>
    </message>
    <message>
      <source>Run “library rebuild”: it is made anew from your files.</source>
      <translation>Execute “library rebuild”: ele é refeito a partir dos seus arquivos.</translation>
    </message>
    <message>
      <source>Run “library rebuild”: it is made anew.</source>
      <translation>Execute “library rebuild”: ele é refeito.</translation>
    </message>
    <message>
      <source>Save it as UTF-8.</source>
      <translation>Salve-o como UTF-8.</translation>
    </message>
    <message>
      <source>Save it with 8 or 16 bits.</source>
      <translation>Salve-a com 8 ou 16 bits.</translation>
    </message>
    <message>
      <source>Save it without embedded pictures.</source>
      <translation>Salve sem imagens embutidas.</translation>
    </message>
    <message>
      <source>See {}, or enter another token.</source>
      <translation>Veja {}, ou informe outro token.</translation>
    </message>
    <message>
      <source>See {}.</source>
      <translation>Veja {}.</translation>
    </message>
    <message>
      <source>Set HTTPS_PROXY to http://host:port.</source>
      <translation>Defina HTTPS_PROXY como http://host:porta.</translation>
    </message>
    <message>
      <source>Set it to https://….</source>
      <translation>Defina como https://….</translation>
    </message>
    <message>
      <source>Set its start before its end.</source>
      <translation>Ponha o início antes do fim.</translation>
    </message>
    <message>
      <source>Set the range in the list of prompts.</source>
      <translation>Defina o intervalo na lista de prompts.</translation>
    </message>
    <message>
      <source>Settings that Laterna has none of: {}.</source>
      <translation>Configurações que o Laterna não tem: {}.</translation>
    </message>
    <message>
      <source>Several pictures are saved; this is the recipe of the one from {}.</source>
      <translation>Várias imagens são salvas; esta é a receita da que vem de {}.</translation>
    </message>
    <message>
      <source>Shorten it.</source>
      <translation>Encurte.</translation>
    </message>
    <message>
      <source>Shorten it; the models read only the first few hundred words.</source>
      <translation>Encurte; os modelos leem só as primeiras centenas de palavras.</translation>
    </message>
    <message>
      <source>Skip-layer guidance has a scale or a window that makes no sense.</source>
      <translation>A orientação por salto de camadas tem uma escala ou janela que não faz sentido.</translation>
    </message>
    <message>
      <source>Skip-layer guidance names layers {}; this model has {}.</source>
      <translation>A orientação por salto de camadas indica as camadas {}; este modelo tem {}.</translation>
    </message>
    <message>
      <source>Skip-layer guidance was brought within its limits.</source>
      <translation>A orientação que pula camadas foi trazida para dentro dos limites.</translation>
    </message>
    <message>
      <source>Some sites take it out; choose the file as it was saved.</source>
      <translation>Alguns sites a retiram; escolha o arquivo como foi salvo.</translation>
    </message>
    <message>
      <source>Something on the way packs the file anew.</source>
      <translation>Algo no caminho reempacota o arquivo.</translation>
    </message>
    <message>
      <source>Split it into several files.</source>
      <translation>Divida em vários arquivos.</translation>
    </message>
    <message>
      <source>Start Laterna again.</source>
      <translation>Inicie o Laterna de novo.</translation>
    </message>
    <message>
      <source>Start again with a lower learning rate, or go on from an earlier checkpoint.</source>
      <translation>Comece de novo com uma taxa de aprendizado menor, ou continue de um ponto anterior.</translation>
    </message>
    <message>
      <source>Start one first.</source>
      <translation>Inicie um primeiro.</translation>
    </message>
    <message>
      <source>Start the computer again; if it stays so, install the card's driver anew.</source>
      <translation>Reinicie o computador; se continuar assim, instale de novo o driver da placa.</translation>
    </message>
    <message>
      <source>Start the download again.</source>
      <translation>Inicie o download de novo.</translation>
    </message>
    <message>
      <source>Step {} of {} gave numbers that are not finite: the result would be black.</source>
      <translation>O passo {} de {} deu números que não são finitos: o resultado seria preto.</translation>
    </message>
    <message>
      <source>Stopped at step {}; it is saved.</source>
      <translation>Parado no passo {}; está salvo.</translation>
    </message>
    <message>
      <source>Switch it off.</source>
      <translation>Desligue.</translation>
    </message>
    <message>
      <source>Switch one of the two off.</source>
      <translation>Desligue um dos dois.</translation>
    </message>
    <message>
      <source>Switch prompt weights off.</source>
      <translation>Desligue os pesos do prompt.</translation>
    </message>
    <message>
      <source>Switch the mask off.</source>
      <translation>Desligue a máscara.</translation>
    </message>
    <message>
      <source>T5's padding is not masked in this Laterna.</source>
      <translation>O preenchimento do T5 não é mascarado neste Laterna.</translation>
    </message>
    <message>
      <source>T5's text is padded to 256 tokens, where ComfyUI pads to 77: details differ.</source>
      <translation>O texto do T5 é preenchido até 256 tokens, onde o ComfyUI preenche até 77: os detalhes diferem.</translation>
    </message>
    <message>
      <source>Take 0 to {}.</source>
      <translation>Use de 0 a {}.</translation>
    </message>
    <message>
      <source>Take a rank from 1 on.</source>
      <translation>Use um posto de 1 em diante.</translation>
    </message>
    <message>
      <source>Take a smaller scale, or a smaller source.</source>
      <translation>Use uma escala menor, ou uma origem menor.</translation>
    </message>
    <message>
      <source>Take another name (--name), go on with it (resume {}), or remove {}.</source>
      <translation>Use outro nome (--name), continue com ele (resume {}), ou remova {}.</translation>
    </message>
    <message>
      <source>Take another name for the new training, or start it with the old one's settings.</source>
      <translation>Use outro nome para o novo treinamento, ou inicie-o com os ajustes do antigo.</translation>
    </message>
    <message>
      <source>Take at most {} letters.</source>
      <translation>Use no máximo {} letras.</translation>
    </message>
    <message>
      <source>Take fewer values.</source>
      <translation>Use menos valores.</translation>
    </message>
    <message>
      <source>Take fewer, or a shorter clip.</source>
      <translation>Use menos, ou um clipe mais curto.</translation>
    </message>
    <message>
      <source>Take fewer.</source>
      <translation>Use menos.</translation>
    </message>
    <message>
      <source>Take it out of the recipe.</source>
      <translation>Tire-a da receita.</translation>
    </message>
    <message>
      <source>Take it out, or train on fewer.</source>
      <translation>Retire-o, ou treine com menos.</translation>
    </message>
    <message>
      <source>Take one of: {}.</source>
      <translation>Use um destes: {}.</translation>
    </message>
    <message>
      <source>Take one value.</source>
      <translation>Use um valor.</translation>
    </message>
    <message>
      <source>Take out some alternatives, or let each job draw one.</source>
      <translation>Retire algumas alternativas ou deixe cada trabalho sortear uma.</translation>
    </message>
    <message>
      <source>Take that size.</source>
      <translation>Use esse tamanho.</translation>
    </message>
    <message>
      <source>Take the build for NVIDIA cards: LATERNA_TORCH=cuda {}.</source>
      <translation>Use a versão para placas NVIDIA: LATERNA_TORCH=cuda {}.</translation>
    </message>
    <message>
      <source>Take the build for NVIDIA cards: {} torch {}.</source>
      <translation>Use a versão para placas NVIDIA: {} torch {}.</translation>
    </message>
    <message>
      <source>Take the build that runs everywhere: delete the folder .venv, then run: LATERNA_TORCH=cpu {}.</source>
      <translation>Use a versão que roda em qualquer lugar: apague a pasta .venv e execute: LATERNA_TORCH=cpu {}.</translation>
    </message>
    <message>
      <source>Take the build that runs everywhere: {} torch --index-url https://download.pytorch.org/whl/cpu.</source>
      <translation>Use a versão que roda em qualquer lugar: {} torch --index-url https://download.pytorch.org/whl/cpu.</translation>
    </message>
    <message>
      <source>Take the model's weights as they are in its files, and try again.</source>
      <translation>Use os pesos do modelo como estão nos arquivos e tente de novo.</translation>
    </message>
    <message>
      <source>Take the others out.</source>
      <translation>Tire as outras.</translation>
    </message>
    <message>
      <source>Take the picture out of the recipe.</source>
      <translation>Retire a imagem da receita.</translation>
    </message>
    <message>
      <source>Take the picture out, or choose a model that moves one (I2V).</source>
      <translation>Retire a imagem ou escolha um modelo que anime uma (I2V).</translation>
    </message>
    <message>
      <source>Take them out of the recipe.</source>
      <translation>Retire-os da receita.</translation>
    </message>
    <message>
      <source>Take {} off, or give it less strength, and try again.</source>
      <translation>Retire {}, ou dê menos força, e tente de novo.</translation>
    </message>
    <message>
      <source>Take {}.</source>
      <translation>Use {}.</translation>
    </message>
    <message>
      <source>The LoRA {} is not on this machine.</source>
      <translation>A LoRA {} não está neste computador.</translation>
    </message>
    <message>
      <source>The LoRA {} is {} here, by its hash.</source>
      <translation>O LoRA {} é aqui {}, pelo seu hash.</translation>
    </message>
    <message>
      <source>The LoRA {}: this Laterna cannot use LoRAs yet.</source>
      <translation>O LoRA {}: este Laterna ainda não usa LoRAs.</translation>
    </message>
    <message>
      <source>The LoRA “{}” is not on this machine.</source>
      <translation>O LoRA “{}” não está neste computador.</translation>
    </message>
    <message>
      <source>The VAE {}: Laterna takes the model's own.</source>
      <translation>O VAE {}: o Laterna usa o do próprio modelo.</translation>
    </message>
    <message>
      <source>The VAE “{}” is not on this machine.</source>
      <translation>O VAE “{}” não está neste computador.</translation>
    </message>
    <message>
      <source>The alternatives in this prompt are nested too deep, or a wildcard contains itself.</source>
      <translation>As alternativas deste prompt estão aninhadas demais, ou um curinga contém a si mesmo.</translation>
    </message>
    <message>
      <source>The card is the {} with {}, {} of it free.</source>
      <translation>A placa é a {} com {}, {} livres.</translation>
    </message>
    <message>
      <source>The card is the {}, which shares this computer's memory.</source>
      <translation>A placa é a {}, que usa a memória deste computador.</translation>
    </message>
    <message>
      <source>The certificate that answers for {} is not trusted: the connection may be listened to.</source>
      <translation>O certificado que responde por {} não é confiável: a conexão pode estar sendo escutada.</translation>
    </message>
    <message>
      <source>The clip begins with the picture “{}”.</source>
      <translation>O clipe começa com a imagem “{}”.</translation>
    </message>
    <message>
      <source>The clip begins with what {} makes: make that first, and choose it.</source>
      <translation>O clipe começa com o que {} produz: faça isso primeiro e escolha-o.</translation>
    </message>
    <message>
      <source>The connection to {} was cut.</source>
      <translation>A conexão com {} foi cortada.</translation>
    </message>
    <message>
      <source>The count is {}; it must be from 1 to {}.</source>
      <translation>A contagem é {}; deve ser de 1 a {}.</translation>
    </message>
    <message>
      <source>The disk could not be measured: {}.</source>
      <translation>O disco não pôde ser medido: {}.</translation>
    </message>
    <message>
      <source>The disk is full: {} cannot grow.</source>
      <translation>O disco está cheio: {} não pode crescer.</translation>
    </message>
    <message>
      <source>The disk is full: {} failed{}.</source>
      <translation>O disco está cheio: {} falhou{}.</translation>
    </message>
    <message>
      <source>The disk is full: {} has {} MiB left, the result may need {}.</source>
      <translation>O disco está cheio: {} tem {} MiB livres, o resultado pode precisar de {}.</translation>
    </message>
    <message>
      <source>The download goes on where it was; check the network where it comes again.</source>
      <translation>O download continua de onde estava; verifique a rede se acontecer de novo.</translation>
    </message>
    <message>
      <source>The download was stopped.</source>
      <translation>O download foi interrompido.</translation>
    </message>
    <message>
      <source>The engine asks for a file that no job names.</source>
      <translation>O motor pede um arquivo que nenhum trabalho nomeia.</translation>
    </message>
    <message>
      <source>The engine crashed.</source>
      <translation>O motor travou e terminou.</translation>
    </message>
    <message>
      <source>The engine does not answer any more and was ended.</source>
      <translation>O motor não responde mais e foi encerrado.</translation>
    </message>
    <message>
      <source>The engine does not say its version, as every Laterna does now.</source>
      <translation>O motor não diz a sua versão, como todo Laterna faz agora.</translation>
    </message>
    <message>
      <source>The engine ended {} times while working on this.</source>
      <translation>O motor terminou {} vezes ao trabalhar nisto.</translation>
    </message>
    <message>
      <source>The engine has ended.</source>
      <translation>O motor terminou.</translation>
    </message>
    <message>
      <source>The engine is Laterna {}, with version {} of the protocol; the window is Laterna {}, with version {}.</source>
      <translation>O motor é do Laterna {}, com a versão {} do protocolo; a janela é do Laterna {}, com a versão {}.</translation>
    </message>
    <message>
      <source>The engine is not running.</source>
      <translation>O motor não está em execução.</translation>
    </message>
    <message>
      <source>The engine says that it made {}, and did not send it.</source>
      <translation>O motor diz que fez {}, e não o enviou.</translation>
    </message>
    <message>
      <source>The engine says that it saved {}, which is not there.</source>
      <translation>O motor diz que salvou {}, que não está lá.</translation>
    </message>
    <message>
      <source>The engine stopped unexpectedly (the system may have run out of memory).</source>
      <translation>O motor parou inesperadamente (talvez tenha faltado memória ao sistema).</translation>
    </message>
    <message>
      <source>The engine stopped: it sent something that is no message ({}).</source>
      <translation>O motor parou: enviou algo que não é uma mensagem ({}).</translation>
    </message>
    <message>
      <source>The engine was restarted.</source>
      <translation>O motor foi reiniciado.</translation>
    </message>
    <message>
      <source>The export was stopped.</source>
      <translation>A exportação foi interrompida.</translation>
    </message>
    <message>
      <source>The file list gives {} {} bytes.</source>
      <translation>A lista de arquivos dá a {} {} bytes.</translation>
    </message>
    <message>
      <source>The file list has no checksum of {}.</source>
      <translation>A lista de arquivos não traz a soma de verificação de {}.</translation>
    </message>
    <message>
      <source>The file list holds a name that no disk takes: {}….</source>
      <translation>A lista de arquivos traz um nome que nenhum disco aceita: {}….</translation>
    </message>
    <message>
      <source>The file list holds {} twice.</source>
      <translation>A lista de arquivos traz {} duas vezes.</translation>
    </message>
    <message>
      <source>The file list holds {}, which could leave the model's folder.</source>
      <translation>A lista de arquivos traz {}, que poderia sair da pasta do modelo.</translation>
    </message>
    <message>
      <source>The file list of {} does not end.</source>
      <translation>A lista de arquivos de {} não termina.</translation>
    </message>
    <message>
      <source>The file of “{}” is not there.</source>
      <translation>O arquivo de “{}” não está lá.</translation>
    </message>
    <message>
      <source>The file “{}” is not on this machine.</source>
      <translation>O arquivo “{}” não está neste computador.</translation>
    </message>
    <message>
      <source>The files of the {} hold such numbers themselves: get the model again.</source>
      <translation>Os arquivos de {} contêm eles mesmos esses números: baixe o modelo de novo.</translation>
    </message>
    <message>
      <source>The first {} entry does not read the prompt.</source>
      <translation>A primeira entrada {} não lê o prompt.</translation>
    </message>
    <message>
      <source>The folder for {}, {}, cannot be written: {}.</source>
      <translation>A pasta de {}, {}, não pode ser gravada: {}.</translation>
    </message>
    <message>
      <source>The folder {} cannot be made: {}.</source>
      <translation>A pasta {} não pode ser criada: {}.</translation>
    </message>
    <message>
      <source>The guidance curve has a point at {} with a scale of {}.</source>
      <translation>A curva de orientação tem um ponto em {} com escala {}.</translation>
    </message>
    <message>
      <source>The guidance curve has {} points.</source>
      <translation>A curva de orientação tem {} pontos.</translation>
    </message>
    <message>
      <source>The hub answered {} for {}.</source>
      <translation>O hub respondeu {} para {}.</translation>
    </message>
    <message>
      <source>The hub does not accept the token: it is wrong, or no longer valid.</source>
      <translation>O hub não aceita o token: está errado ou não vale mais.</translation>
    </message>
    <message>
      <source>The hub has trouble of its own (it answered {}).</source>
      <translation>O hub está com problemas próprios (respondeu {}).</translation>
    </message>
    <message>
      <source>The hub says that there were too many requests.</source>
      <translation>O hub diz que houve solicitações demais.</translation>
    </message>
    <message>
      <source>The hub's answer about {} does not end.</source>
      <translation>A resposta do hub sobre {} não termina.</translation>
    </message>
    <message>
      <source>The hub's answer cannot be understood.</source>
      <translation>A resposta do hub não pode ser entendida.</translation>
    </message>
    <message>
      <source>The job does not bring the upscaler {}.</source>
      <translation>O trabalho não traz o ampliador {}.</translation>
    </message>
    <message>
      <source>The job starts over.</source>
      <translation>O trabalho começa de novo.</translation>
    </message>
    <message>
      <source>The job was cancelled.</source>
      <translation>O trabalho foi cancelado.</translation>
    </message>
    <message>
      <source>The job {} is already here.</source>
      <translation>O trabalho {} já está aqui.</translation>
    </message>
    <message>
      <source>The keyring did not give the token up.</source>
      <translation>O chaveiro não entregou o token.</translation>
    </message>
    <message>
      <source>The libraries that a window needs are here.</source>
      <translation>As bibliotecas de que uma janela precisa estão aqui.</translation>
    </message>
    <message>
      <source>The library is closing.</source>
      <translation>A biblioteca está fechando.</translation>
    </message>
    <message>
      <source>The licence of {} is not accepted on the site yet by the token's owner.</source>
      <translation>A licença de {} ainda não foi aceita no site pelo dono do token.</translation>
    </message>
    <message>
      <source>The link to the file has run out.</source>
      <translation>O link do arquivo expirou.</translation>
    </message>
    <message>
      <source>The mask is empty: nothing would be made anew.</source>
      <translation>A máscara está vazia: nada seria refeito.</translation>
    </message>
    <message>
      <source>The model computes in float16 here, whose range is small: get it in bfloat16.</source>
      <translation>O modelo calcula aqui em float16, cujo alcance é pequeno: baixe-o em bfloat16.</translation>
    </message>
    <message>
      <source>The model in {} has no {}.</source>
      <translation>O modelo em {} não tem {}.</translation>
    </message>
    <message>
      <source>The model wants {} as its {}, which Laterna does not know.</source>
      <translation>O modelo quer {} como {}, que o Laterna não conhece.</translation>
    </message>
    <message>
      <source>The model “{}” is not on this machine.</source>
      <translation>O modelo “{}” não está neste computador.</translation>
    </message>
    <message>
      <source>The models folder {} was moved in a circle.</source>
      <translation>A pasta de modelos {} foi movida em círculo.</translation>
    </message>
    <message>
      <source>The models were moved to {}, which is not there.</source>
      <translation>Os modelos foram movidos para {}, que não está lá.</translation>
    </message>
    <message>
      <source>The models' disk reads {} MB and writes {} MB a second.</source>
      <translation>O disco dos modelos lê {} MB e grava {} MB por segundo.</translation>
    </message>
    <message>
      <source>The negative prompt's range must lie within 0 and 1.</source>
      <translation>O intervalo do prompt negativo deve ficar entre 0 e 1.</translation>
    </message>
    <message>
      <source>The negative prompts have ranges of their own.</source>
      <translation>Os prompts negativos têm intervalos próprios.</translation>
    </message>
    <message>
      <source>The new folder must lie outside the old one.</source>
      <translation>A nova pasta deve ficar fora da antiga.</translation>
    </message>
    <message>
      <source>The part of the schedule of an input must lie within 0 and 1.</source>
      <translation>A parte da programação de uma entrada deve ficar entre 0 e 1.</translation>
    </message>
    <message>
      <source>The picture to start from is not there: {}.</source>
      <translation>A imagem inicial não está lá: {}.</translation>
    </message>
    <message>
      <source>The picture to start from, {}, cannot be read: {}.</source>
      <translation>A imagem inicial, {}, não pode ser lida: {}.</translation>
    </message>
    <message>
      <source>The picture was made from another one, which the file does not name; here it starts anew.</source>
      <translation>A imagem foi feita a partir de outra, que o arquivo não nomeia; aqui ela começa do zero.</translation>
    </message>
    <message>
      <source>The picture would become {} × {}: too large.</source>
      <translation>A imagem ficaria com {} × {}: grande demais.</translation>
    </message>
    <message>
      <source>The picture “{}” is not on this machine.</source>
      <translation>A imagem “{}” não está neste computador.</translation>
    </message>
    <message>
      <source>The prompt changes words during the steps, as in [cat:dog:0.5]; all of them are read at once.</source>
      <translation>O prompt troca palavras durante os passos, como em [cat:dog:0.5]; todas são lidas de uma vez.</translation>
    </message>
    <message>
      <source>The prompt holds broken characters.</source>
      <translation>O prompt contém caracteres quebrados.</translation>
    </message>
    <message>
      <source>The prompt is divided by {}; Laterna reads it as one text.</source>
      <translation>O prompt é dividido por {}; o Laterna o lê como um só texto.</translation>
    </message>
    <message>
      <source>The prompt is empty: write one before you generate.</source>
      <translation>O prompt está vazio: escreva um antes de gerar.</translation>
    </message>
    <message>
      <source>The proxy at {} answers in {} ms.</source>
      <translation>O proxy em {} responde em {} ms.</translation>
    </message>
    <message>
      <source>The proxy at {} is not reached: {}.</source>
      <translation>O proxy em {} não é alcançado: {}.</translation>
    </message>
    <message>
      <source>The proxy cannot be reached.</source>
      <translation>O proxy não pode ser alcançado.</translation>
    </message>
    <message>
      <source>The proxy refuses connections to {} (it answered {}).</source>
      <translation>O proxy recusa conexões a {} (respondeu {}).</translation>
    </message>
    <message>
      <source>The proxy speaks plain HTTP only.</source>
      <translation>O proxy só fala HTTP sem criptografia.</translation>
    </message>
    <message>
      <source>The proxy that is set, {}, is no address.</source>
      <translation>O proxy definido, {}, não é um endereço.</translation>
    </message>
    <message>
      <source>The proxy wants a login, or does not accept the one it got.</source>
      <translation>O proxy exige login, ou não aceita o que recebeu.</translation>
    </message>
    <message>
      <source>The recipe has LoRAs whose files were not found.</source>
      <translation>A receita tem LoRAs cujos arquivos não foram encontrados.</translation>
    </message>
    <message>
      <source>The recipe is for {}, but {} is a {} model.</source>
      <translation>A receita é para {}, mas {} é um modelo {}.</translation>
    </message>
    <message>
      <source>The repository may have changed: start again.</source>
      <translation>O repositório pode ter mudado: comece de novo.</translation>
    </message>
    <message>
      <source>The resource {} ({}) is left out.</source>
      <translation>O recurso {} ({}) fica de fora.</translation>
    </message>
    <message>
      <source>The sampler {} does not go with the scheduler “{}”.</source>
      <translation>O amostrador {} não combina com o agendador “{}”.</translation>
    </message>
    <message>
      <source>The saved state of this job is not used: {}.</source>
      <translation>O estado salvo deste trabalho não é usado: {}.</translation>
    </message>
    <message>
      <source>The scale is {}; it must be 2, 3 or 4.</source>
      <translation>A escala é {}; deve ser 2, 3 ou 4.</translation>
    </message>
    <message>
      <source>The schedule and the guidance have different shifts; the guidance's is used.</source>
      <translation>A programação e a orientação têm deslocamentos diferentes; usa-se o da orientação.</translation>
    </message>
    <message>
      <source>The secure connection to {} could not be made.</source>
      <translation>A conexão segura com {} não pôde ser feita.</translation>
    </message>
    <message>
      <source>The seed {} is beyond Laterna's; {} gives another noise.</source>
      <translation>A semente {} está além das do Laterna; {} dá outro ruído.</translation>
    </message>
    <message>
      <source>The seeds of these jobs would pass the largest one.</source>
      <translation>As sementes destes trabalhos passariam da maior.</translation>
    </message>
    <message>
      <source>The server sent another part than the one asked for.</source>
      <translation>O servidor enviou outra parte em vez da pedida.</translation>
    </message>
    <message>
      <source>The size depends on the picture's shape; {} × {} stands there now.</source>
      <translation>O tamanho depende da forma da imagem; agora está {} × {}.</translation>
    </message>
    <message>
      <source>The size is that of “{}”, which the workflow does not say; {} × {} stands there now.</source>
      <translation>O tamanho é o de “{}”, que o fluxo de trabalho não diz; agora está {} × {}.</translation>
    </message>
    <message>
      <source>The size, {} × {}, is that of the picture which has this workflow.</source>
      <translation>O tamanho, {} × {}, é o da imagem que traz este fluxo de trabalho.</translation>
    </message>
    <message>
      <source>The stream ended in the middle of a message.</source>
      <translation>O fluxo terminou no meio de uma mensagem.</translation>
    </message>
    <message>
      <source>The system brings what a window needs.</source>
      <translation>O sistema traz o que uma janela precisa.</translation>
    </message>
    <message>
      <source>The system's cache could not be passed by: the disk itself may be slower.</source>
      <translation>O cache do sistema não pôde ser contornado: o disco em si pode ser mais lento.</translation>
    </message>
    <message>
      <source>The table of memory has no {}.</source>
      <translation>A tabela de memória não tem {}.</translation>
    </message>
    <message>
      <source>The text encoder “{}” is not on this machine.</source>
      <translation>O codificador de texto “{}” não está neste computador.</translation>
    </message>
    <message>
      <source>The text has {} characters; the last {} are read.</source>
      <translation>O texto tem {} caracteres; leem-se os últimos {}.</translation>
    </message>
    <message>
      <source>The token has no access to {}.</source>
      <translation>O token não tem acesso a {}.</translation>
    </message>
    <message>
      <source>The token may not read gated repositories.</source>
      <translation>O token não pode ler repositórios restritos.</translation>
    </message>
    <message>
      <source>The tokenizer in {} cannot be read: {}.</source>
      <translation>O tokenizador em {} não pode ser lido: {}.</translation>
    </message>
    <message>
      <source>The training went astray: for {} steps its gradients have not been numbers.</source>
      <translation>O treinamento se perdeu: há {} passos os gradientes não são números.</translation>
    </message>
    <message>
      <source>The trash was emptied.</source>
      <translation>A lixeira foi esvaziada.</translation>
    </message>
    <message>
      <source>The upscaler {} gave numbers that are not finite: parts of the result would be black.</source>
      <translation>O ampliador {} deu números que não são finitos: partes do resultado seriam pretas.</translation>
    </message>
    <message>
      <source>The upscaler {} is not on this machine.</source>
      <translation>O ampliador {} não está nesta máquina.</translation>
    </message>
    <message>
      <source>The values of {} fit no version of it that Laterna knows, so it cannot be read.</source>
      <translation>Os valores de {} não cabem em nenhuma versão que o Laterna conheça, por isso não pode ser lido.</translation>
    </message>
    <message>
      <source>The weights in {} are a pickle, which can run any code when it is opened.</source>
      <translation>Os pesos em {} são um pickle, que pode executar qualquer código ao ser aberto.</translation>
    </message>
    <message>
      <source>The weights in {} do not fit their configuration: {}.</source>
      <translation>Os pesos em {} não combinam com a configuração: {}.</translation>
    </message>
    <message>
      <source>The wildcard {} is larger than 8 MiB.</source>
      <translation>O curinga {} é maior que 8 MiB.</translation>
    </message>
    <message>
      <source>The window does not say its version, as every Laterna does now.</source>
      <translation>A janela não diz a sua versão, como todo Laterna faz agora.</translation>
    </message>
    <message>
      <source>The window is Laterna {}, with version {} of the protocol; the engine is Laterna {}, with version {}.</source>
      <translation>A janela é do Laterna {}, com a versão {} do protocolo; o motor é do Laterna {}, com a versão {}.</translation>
    </message>
    <message>
      <source>The window needs libraries that are not here.</source>
      <translation>A janela precisa de bibliotecas que não estão aqui.</translation>
    </message>
    <message>
      <source>The workflow does not say the picture's size; {} × {} is used.</source>
      <translation>O fluxo de trabalho não diz o tamanho da imagem; usa-se {} × {}.</translation>
    </message>
    <message>
      <source>The workflow loads no {}; Laterna uses it.</source>
      <translation>O fluxo de trabalho não carrega {}; o Laterna o usa.</translation>
    </message>
    <message>
      <source>There are no products in 8 bits.</source>
      <translation>Não há produtos em 8 bits.</translation>
    </message>
    <message>
      <source>There are no values.</source>
      <translation>Não há valores.</translation>
    </message>
    <message>
      <source>There are {} {} prompts.</source>
      <translation>Há {} prompts {}.</translation>
    </message>
    <message>
      <source>There are: {}.</source>
      <translation>Há: {}.</translation>
    </message>
    <message>
      <source>There is a model “{}” already.</source>
      <translation>Já existe um modelo “{}”.</translation>
    </message>
    <message>
      <source>There is a training “{}” with other settings.</source>
      <translation>Já existe um treinamento “{}” com outros ajustes.</translation>
    </message>
    <message>
      <source>There is no LoRA.</source>
      <translation>Não há LoRA.</translation>
    </message>
    <message>
      <source>There is no checkpoint {}.</source>
      <translation>Não há ponto de controle {}.</translation>
    </message>
    <message>
      <source>There is no connection to {}.</source>
      <translation>Não há conexão com {}.</translation>
    </message>
    <message>
      <source>There is no experiment “{}”.</source>
      <translation>Não há experimento “{}”.</translation>
    </message>
    <message>
      <source>There is no folder {}.</source>
      <translation>Não há pasta {}.</translation>
    </message>
    <message>
      <source>There is no keyring; a token is kept in a file that only you can read.</source>
      <translation>Não há chaveiro; o token é guardado em um arquivo que só você pode ler.</translation>
    </message>
    <message>
      <source>There is no licence “{}”.</source>
      <translation>Não há licença “{}”.</translation>
    </message>
    <message>
      <source>There is no model in {}: {} is missing.</source>
      <translation>Não há modelo em {}: falta {}.</translation>
    </message>
    <message>
      <source>There is no model “{}” in the catalogue.</source>
      <translation>Não há modelo “{}” no catálogo.</translation>
    </message>
    <message>
      <source>There is no model “{}” to download.</source>
      <translation>Não há modelo “{}” para baixar.</translation>
    </message>
    <message>
      <source>There is no model “{}”.</source>
      <translation>Não há modelo “{}”.</translation>
    </message>
    <message>
      <source>There is no picture to start from.</source>
      <translation>Não há imagem inicial.</translation>
    </message>
    <message>
      <source>There is no repository {}.</source>
      <translation>Não há repositório {}.</translation>
    </message>
    <message>
      <source>There is no training “{}”.</source>
      <translation>Não há treinamento “{}”.</translation>
    </message>
    <message>
      <source>There is no upscaler “{}” on this machine.</source>
      <translation>Não há nenhum ampliador “{}” nesta máquina.</translation>
    </message>
    <message>
      <source>There is no wildcard “{}”, or its file is empty.</source>
      <translation>Não existe o curinga “{}”, ou o arquivo dele está vazio.</translation>
    </message>
    <message>
      <source>There is not enough of {} for this.</source>
      <translation>Não há {} suficiente para isto.</translation>
    </message>
    <message>
      <source>There is nothing at {} that can be read.</source>
      <translation>Não há nada em {} que possa ser lido.</translation>
    </message>
    <message>
      <source>These are more than {} values.</source>
      <translation>São mais de {} valores.</translation>
    </message>
    <message>
      <source>These are {} combinations; at most {} go at once.</source>
      <translation>São {} combinações; no máximo {} de uma vez.</translation>
    </message>
    <message>
      <source>They go with a model; choose that.</source>
      <translation>Eles acompanham um modelo; escolha o modelo.</translation>
    </message>
    <message>
      <source>This JSON is no workflow that Laterna knows.</source>
      <translation>Este JSON não é um fluxo de trabalho que o Laterna conheça.</translation>
    </message>
    <message>
      <source>This Laterna cannot do “{}”.</source>
      <translation>Esta Laterna não sabe fazer “{}”.</translation>
    </message>
    <message>
      <source>This Laterna cannot enlarge by “{}”.</source>
      <translation>Esta Laterna não sabe ampliar por “{}”.</translation>
    </message>
    <message>
      <source>This Laterna has no family “{}”.</source>
      <translation>Este Laterna não tem a família “{}”.</translation>
    </message>
    <message>
      <source>This Laterna keeps weights in 8 bits as whole numbers, not as float8.</source>
      <translation>Este Laterna guarda os pesos em 8 bits como números inteiros, não como float8.</translation>
    </message>
    <message>
      <source>This Laterna knows no family “{}”.</source>
      <translation>Este Laterna não conhece a família “{}”.</translation>
    </message>
    <message>
      <source>This MP4 cannot be read: {}.</source>
      <translation>Este MP4 não pode ser lido: {}.</translation>
    </message>
    <message>
      <source>This MP4 says {} × {} pixels.</source>
      <translation>Este MP4 diz {} × {} pixels.</translation>
    </message>
    <message>
      <source>This PNG is damaged: {}.</source>
      <translation>Este PNG está danificado: {}.</translation>
    </message>
    <message>
      <source>This clip carries no recipe of any program that Laterna knows.</source>
      <translation>Este clipe não traz receita de nenhum programa que o Laterna conheça.</translation>
    </message>
    <message>
      <source>This computer has a {}, which this build cannot use.</source>
      <translation>Este computador tem uma {}, que esta versão não pode usar.</translation>
    </message>
    <message>
      <source>This could not be looked at: {}: {}.</source>
      <translation>Isto não pôde ser examinado: {}: {}.</translation>
    </message>
    <message>
      <source>This does not fit into {}.</source>
      <translation>Isto não cabe em {}.</translation>
    </message>
    <message>
      <source>This is a clip of {} ({}); Laterna makes none of these.</source>
      <translation>Este é um clipe de {} ({}); o Laterna não faz nenhum desses.</translation>
    </message>
    <message>
      <source>This is a workflow for {} ({}); Laterna makes none of these.</source>
      <translation>Este é um fluxo de trabalho para {} ({}); o Laterna não faz nenhum desses.</translation>
    </message>
    <message>
      <source>This is neither a workflow nor a text of settings.</source>
      <translation>Isto não é um fluxo de trabalho nem um texto de ajustes.</translation>
    </message>
    <message>
      <source>This is no ComfyUI workflow.</source>
      <translation>Isto não é um fluxo de trabalho do ComfyUI.</translation>
    </message>
    <message>
      <source>This is no JSON: {}.</source>
      <translation>Isto não é JSON: {}.</translation>
    </message>
    <message>
      <source>This is no Laterna recipe: {}.</source>
      <translation>Isto não é uma receita do Laterna: {}.</translation>
    </message>
    <message>
      <source>This is no PNG.</source>
      <translation>Isto não é um PNG.</translation>
    </message>
    <message>
      <source>This is no token: it is empty, or has spaces or line ends in it.</source>
      <translation>Isto não é um token: está vazio, ou tem espaços ou quebras de linha.</translation>
    </message>
    <message>
      <source>This is no training: {}.</source>
      <translation>Isto não é um treinamento: {}.</translation>
    </message>
    <message>
      <source>This model makes clips from words alone.</source>
      <translation>Este modelo faz clipes só a partir de palavras.</translation>
    </message>
    <message>
      <source>This model makes clips of {} frames only.</source>
      <translation>Este modelo só faz clipes de {} quadros.</translation>
    </message>
    <message>
      <source>This model makes clips of {} × {} only.</source>
      <translation>Este modelo faz clipes só de {} × {}.</translation>
    </message>
    <message>
      <source>This model moves a picture, and none is chosen.</source>
      <translation>Este modelo anima uma imagem, e nenhuma foi escolhida.</translation>
    </message>
    <message>
      <source>This model reads prompts of exactly {} tokens, not {}.</source>
      <translation>Este modelo lê prompts de exatamente {} tokens, não {}.</translation>
    </message>
    <message>
      <source>This model's pictures end at {} pixels in {}.</source>
      <translation>As imagens deste modelo terminam em {} pixels de {}.</translation>
    </message>
    <message>
      <source>This name is too long.</source>
      <translation>Este nome é longo demais.</translation>
    </message>
    <message>
      <source>This part of the clip holds no frames.</source>
      <translation>Este trecho do clipe não tem quadros.</translation>
    </message>
    <message>
      <source>This picture carries no recipe of any program that Laterna knows.</source>
      <translation>Esta imagem não traz receita de nenhum programa que o Laterna conheça.</translation>
    </message>
    <message>
      <source>This prompt grows beyond {} characters.</source>
      <translation>Este prompt passa de {} caracteres.</translation>
    </message>
    <message>
      <source>This prompt has too many alternatives.</source>
      <translation>Este prompt tem alternativas demais.</translation>
    </message>
    <message>
      <source>This recipe is of version {}; this Laterna knows version {}.</source>
      <translation>Esta receita é da versão {}; este Laterna conhece a versão {}.</translation>
    </message>
    <message>
      <source>This recipe is {} KiB; recipes end at {} KiB.</source>
      <translation>Esta receita tem {} KiB; receitas terminam em {} KiB.</translation>
    </message>
    <message>
      <source>This training says no kind that is known.</source>
      <translation>Este treinamento não diz um tipo conhecido.</translation>
    </message>
    <message>
      <source>This workflow has no sampler, so there is no recipe in it.</source>
      <translation>Este fluxo de trabalho não tem sampler, por isso não há receita nele.</translation>
    </message>
    <message>
      <source>This workflow is nested too deeply to be real.</source>
      <translation>Este fluxo de trabalho está aninhado demais para ser real.</translation>
    </message>
    <message>
      <source>This workflow is {} MB; Laterna reads up to {} MB.</source>
      <translation>Este fluxo de trabalho tem {} MB; o Laterna lê até {} MB.</translation>
    </message>
    <message>
      <source>This workflow {}.</source>
      <translation>Este fluxo de trabalho {}.</translation>
    </message>
    <message>
      <source>This would be {} jobs; at most {} go at once.</source>
      <translation>Seriam {} trabalhos; no máximo {} de uma vez.</translation>
    </message>
    <message>
      <source>Tiles of {} pixels that overlap by {} cannot be used.</source>
      <translation>Blocos de {} pixels com sobreposição de {} não podem ser usados.</translation>
    </message>
    <message>
      <source>To be mended: {}.</source>
      <translation>A consertar: {}.</translation>
    </message>
    <message>
      <source>Too little is free to measure the disk.</source>
      <translation>Há pouco espaço livre para medir o disco.</translation>
    </message>
    <message>
      <source>Trainings: {}.</source>
      <translation>Treinamentos: {}.</translation>
    </message>
    <message>
      <source>Try a smaller size, or another model; the log says more.</source>
      <translation>Tente um tamanho menor, ou outro modelo; o log diz mais.</translation>
    </message>
    <message>
      <source>Try again later, from another network, or with another HF_ENDPOINT.</source>
      <translation>Tente mais tarde, de outra rede, ou com outro HF_ENDPOINT.</translation>
    </message>
    <message>
      <source>Try again later, or check HF_ENDPOINT.</source>
      <translation>Tente mais tarde, ou verifique HF_ENDPOINT.</translation>
    </message>
    <message>
      <source>Try again later, or with another HF_ENDPOINT.</source>
      <translation>Tente mais tarde, ou com outro HF_ENDPOINT.</translation>
    </message>
    <message>
      <source>Try again later.</source>
      <translation>Tente mais tarde.</translation>
    </message>
    <message>
      <source>Try again.</source>
      <translation>Tente de novo.</translation>
    </message>
    <message>
      <source>Try again; if it happens again, report it with the details.</source>
      <translation>Tente de novo; se acontecer outra vez, relate com os detalhes.</translation>
    </message>
    <message>
      <source>Try another network or proxy.</source>
      <translation>Tente outra rede ou proxy.</translation>
    </message>
    <message>
      <source>Try another network.</source>
      <translation>Tente outra rede.</translation>
    </message>
    <message>
      <source>Type it again.</source>
      <translation>Digite de novo.</translation>
    </message>
    <message>
      <source>Type one or more letters.</source>
      <translation>Digite uma ou mais letras.</translation>
    </message>
    <message>
      <source>Update Laterna.</source>
      <translation>Atualize o Laterna.</translation>
    </message>
    <message>
      <source>Update the NVIDIA driver.</source>
      <translation>Atualize o driver da NVIDIA.</translation>
    </message>
    <message>
      <source>Use an HTTP proxy, or none.</source>
      <translation>Use um proxy HTTP, ou nenhum.</translation>
    </message>
    <message>
      <source>Use letters, digits, points, underscores and hyphens.</source>
      <translation>Use letras, algarismos, pontos, sublinhados e hifens.</translation>
    </message>
    <message>
      <source>Wait until it is done, and try again.</source>
      <translation>Espere até terminar e tente de novo.</translation>
    </message>
    <message>
      <source>Wait until it is done, or stop it there.</source>
      <translation>Espere até terminar, ou pare lá.</translation>
    </message>
    <message>
      <source>Weights come to the card at {} GB a second.</source>
      <translation>Os pesos chegam à placa a {} GB por segundo.</translation>
    </message>
    <message>
      <source>What arrived is no message: its length is absurd.</source>
      <translation>O que chegou não é uma mensagem: o comprimento é absurdo.</translation>
    </message>
    <message>
      <source>What earlier runs needed was damaged; it is learned anew.</source>
      <translation>O registro do que execuções anteriores precisaram estava danificado; ele é aprendido de novo.</translation>
    </message>
    <message>
      <source>What this file was made from cannot be read: {}.</source>
      <translation>Não dá para ler de que este arquivo foi feito: {}.</translation>
    </message>
    <message>
      <source>What this is to be made larger by cannot be read: {}.</source>
      <translation>Não foi possível ler como isto deve ser ampliado: {}.</translation>
    </message>
    <message>
      <source>Widen a range.</source>
      <translation>Alargue um intervalo.</translation>
    </message>
    <message>
      <source>Write HTTPS_PROXY with http:// instead of https://.</source>
      <translation>Escreva HTTPS_PROXY com http:// em vez de https://.</translation>
    </message>
    <message>
      <source>Write numbers like 4, 5.5 or ranges like 3..7.</source>
      <translation>Escreva números como 4, 5.5 ou intervalos como 3..7.</translation>
    </message>
    <message>
      <source>Write some, with commas between them.</source>
      <translation>Escreva alguns, separados por vírgulas.</translation>
    </message>
    <message>
      <source>Write what it shows into {}, or give one for all: --caption TEXT.</source>
      <translation>Escreva o que mostra em {}, ou dê uma para todas: --caption TEXTO.</translation>
    </message>
    <message>
      <source>Your request for {} has not been answered yet.</source>
      <translation>A sua solicitação para {} ainda não foi respondida.</translation>
    </message>
    <message>
      <source>Your request for {} was rejected.</source>
      <translation>A sua solicitação para {} foi rejeitada.</translation>
    </message>
    <message>
      <source>bfloat16 is computed as it is.</source>
      <translation>bfloat16 é calculado como é.</translation>
    </message>
    <message>
      <source>bfloat16 is widened to float32.</source>
      <translation>bfloat16 é ampliado para float32.</translation>
    </message>
    <message>
      <source>{} #{} is bypassed.</source>
      <translation>{} #{} é contornado.</translation>
    </message>
    <message>
      <source>{} #{} is muted.</source>
      <translation>{} #{} está desativado.</translation>
    </message>
    <message>
      <source>{} adds no noise; Laterna always does.</source>
      <translation>{} não acrescenta ruído; o Laterna sempre acrescenta.</translation>
    </message>
    <message>
      <source>{} adds noise to the picture; Laterna takes it as it is.</source>
      <translation>{} acrescenta ruído à imagem; o Laterna a usa como está.</translation>
    </message>
    <message>
      <source>{} adds the words of a style; here the text stands without them.</source>
      <translation>{} acrescenta as palavras de um estilo; aqui o texto fica sem elas.</translation>
    </message>
    <message>
      <source>{} also takes {} from {}; Laterna has none.</source>
      <translation>{} também recebe {} de {}; o Laterna não tem isso.</translation>
    </message>
    <message>
      <source>{} also used {}, which a recipe has no place for.</source>
      <translation>{} usou também {}, para o que uma receita não tem lugar.</translation>
    </message>
    <message>
      <source>{} answers in {} ms.</source>
      <translation>{} responde em {} ms.</translation>
    </message>
    <message>
      <source>{} are free for {}.</source>
      <translation>{} livres para {}.</translation>
    </message>
    <message>
      <source>{} arrived damaged twice: its checksum is not the published one.</source>
      <translation>{} chegou danificado duas vezes: a soma não é a publicada.</translation>
    </message>
    <message>
      <source>{} asks for {} steps; {} are taken.</source>
      <translation>{} pede {} passos; usam-se {}.</translation>
    </message>
    <message>
      <source>{} averages with the first of {} conditionings, as in ComfyUI.</source>
      <translation>{} faz a média com o primeiro de {} condicionamentos, como no ComfyUI.</translation>
    </message>
    <message>
      <source>{} belongs to a training of another shape.</source>
      <translation>{} pertence a um treinamento de outra forma.</translation>
    </message>
    <message>
      <source>{} cannot be a model's name.</source>
      <translation>{} não pode ser o nome de um modelo.</translation>
    </message>
    <message>
      <source>{} cannot be read as a picture.</source>
      <translation>{} não pode ser lido como imagem.</translation>
    </message>
    <message>
      <source>{} cannot be read as weights.</source>
      <translation>{} não pode ser lido como pesos.</translation>
    </message>
    <message>
      <source>{} cannot be read, so it is not known what {} uses.</source>
      <translation>{} não pode ser lido, por isso não se sabe o que {} usa.</translation>
    </message>
    <message>
      <source>{} cannot be read: {}.</source>
      <translation>{} não pode ser lido: {}.</translation>
    </message>
    <message>
      <source>{} cannot be written: {}.</source>
      <translation>{} não pode ser gravado: {}.</translation>
    </message>
    <message>
      <source>{} cannot change guidance over the steps yet.</source>
      <translation>{} ainda não pode mudar a orientação ao longo dos passos.</translation>
    </message>
    <message>
      <source>{} cannot make a part of a picture anew.</source>
      <translation>{} não consegue refazer uma parte de uma imagem.</translation>
    </message>
    <message>
      <source>{} cannot mask T5's padding in this Laterna yet.</source>
      <translation>{} ainda não pode mascarar o preenchimento do T5 neste Laterna.</translation>
    </message>
    <message>
      <source>{} cannot start from a picture in this Laterna; it starts from noise alone.</source>
      <translation>{} não pode partir de uma imagem neste Laterna; parte só de ruído.</translation>
    </message>
    <message>
      <source>{} cannot start from a picture yet.</source>
      <translation>{} ainda não pode partir de uma imagem.</translation>
    </message>
    <message>
      <source>{} cannot use LoRAs in this Laterna yet.</source>
      <translation>{} ainda não pode usar LoRAs neste Laterna.</translation>
    </message>
    <message>
      <source>{} cannot weigh words in this Laterna yet.</source>
      <translation>{} ainda não pode pesar palavras neste Laterna.</translation>
    </message>
    <message>
      <source>{} cannot weigh words in this Laterna; all words weigh the same.</source>
      <translation>{} não pode pesar palavras neste Laterna; todas pesam o mesmo.</translation>
    </message>
    <message>
      <source>{} carries no recipe of any program that Laterna knows.</source>
      <translation>{} não traz receita de nenhum programa que o Laterna conheça.</translation>
    </message>
    <message>
      <source>{} carries no recipe.</source>
      <translation>{} não traz receita.</translation>
    </message>
    <message>
      <source>{} changes on the server while it is fetched, or is not what it lists.</source>
      <translation>{} muda no servidor enquanto é buscado, ou não é o que ele lista.</translation>
    </message>
    <message>
      <source>{} changes speed or memory; Laterna plans those itself.</source>
      <translation>{} muda velocidade ou memória; o Laterna planeja isso sozinho.</translation>
    </message>
    <message>
      <source>{} changes the conditioning in a way that Laterna does not know.</source>
      <translation>{} muda o condicionamento de um modo que o Laterna não conhece.</translation>
    </message>
    <message>
      <source>{} changes the input picture; Laterna takes it as it is.</source>
      <translation>{} muda a imagem de entrada; o Laterna a usa como está.</translation>
    </message>
    <message>
      <source>{} changes the latent on its way; Laterna leaves it as it is.</source>
      <translation>{} muda o latente no caminho; o Laterna o deixa como está.</translation>
    </message>
    <message>
      <source>{} changes the model in a way that Laterna does not know.</source>
      <translation>{} muda o modelo de um modo que o Laterna não conhece.</translation>
    </message>
    <message>
      <source>{} changes the schedule in a way that Laterna does not know.</source>
      <translation>{} muda a programação de um modo que o Laterna não conhece.</translation>
    </message>
    <message>
      <source>{} chooses between inputs as it runs; Laterna cannot, and takes none of them.</source>
      <translation>{} escolhe entre entradas ao rodar; o Laterna não consegue, e não usa nenhuma.</translation>
    </message>
    <message>
      <source>{} comes under the {}, which you have not accepted yet.</source>
      <translation>{} vem sob a {}, que você ainda não aceitou.</translation>
    </message>
    <message>
      <source>{} decodes in tiles; Laterna plans tiling by the memory that is free.</source>
      <translation>{} decodifica em blocos; o Laterna planeja os blocos pela memória livre.</translation>
    </message>
    <message>
      <source>{} decodes with a VAE of its own; Laterna takes the model's.</source>
      <translation>{} decodifica com um VAE próprio; o Laterna usa o do modelo.</translation>
    </message>
    <message>
      <source>{} did not arrive as it was sent.</source>
      <translation>{} não chegou como foi enviado.</translation>
    </message>
    <message>
      <source>{} did not arrive as it was.</source>
      <translation>{} não chegou como era.</translation>
    </message>
    <message>
      <source>{} did not arrive with the content that the recipe names.</source>
      <translation>{} não chegou com o conteúdo que a receita nomeia.</translation>
    </message>
    <message>
      <source>{} does not come in {}.</source>
      <translation>{} não existe em {}.</translation>
    </message>
    <message>
      <source>{} does not exist, or is only given to people who are signed in.</source>
      <translation>{} não existe, ou só é dado a quem entrou na conta.</translation>
    </message>
    <message>
      <source>{} does not fit this model: it changes {} layers of {} that the {} does not have.</source>
      <translation>{} não serve para este modelo: muda {} camadas de {} que {} não tem.</translation>
    </message>
    <message>
      <source>{} does not fit this model: {} has another size.</source>
      <translation>{} não serve para este modelo: {} tem outro tamanho.</translation>
    </message>
    <message>
      <source>{} does not say its sampler; euler it is.</source>
      <translation>{} não diz o sampler; fica euler.</translation>
    </message>
    <message>
      <source>{} does not say its seed; {} was drawn.</source>
      <translation>{} não diz a semente; {} foi sorteada.</translation>
    </message>
    <message>
      <source>{} does not say its {}; what is usual for the model is used.</source>
      <translation>{} não diz: {}; usa-se o que é comum para o modelo.</translation>
    </message>
    <message>
      <source>{} does not say the picture's size; {} × {} is used.</source>
      <translation>{} não diz o tamanho da imagem; usa-se {} × {}.</translation>
    </message>
    <message>
      <source>{} draws its noise otherwise, so the same seed gives another picture.</source>
      <translation>{} sorteia o ruído de outro modo, por isso a mesma semente dá outra imagem.</translation>
    </message>
    <message>
      <source>{} draws one of several texts at random; Laterna takes the first.</source>
      <translation>{} sorteia um de vários textos; o Laterna usa o primeiro.</translation>
    </message>
    <message>
      <source>{} evens out what weights add up to; here they weigh as in ComfyUI.</source>
      <translation>{} compensa a soma dos pesos; aqui eles pesam como no ComfyUI.</translation>
    </message>
    <message>
      <source>{} frames a second cannot be made; it must be from {} to {}.</source>
      <translation>{} quadros por segundo não é possível; deve ser de {} a {}.</translation>
    </message>
    <message>
      <source>{} frames of {} × {} are too many to be shown backwards or again.</source>
      <translation>{} quadros de {} × {} são demais para mostrar de trás para a frente ou de novo.</translation>
    </message>
    <message>
      <source>{} frames: {} makes clips of {}·N + 1 frames.</source>
      <translation>{} quadros: {} faz clipes de {}·N + 1 quadros.</translation>
    </message>
    <message>
      <source>{} gives no usable number for {}; {} is used.</source>
      <translation>{} não dá um número utilizável para {}; usa-se {}.</translation>
    </message>
    <message>
      <source>{} gives the clip “{}”, which {} changes with a strength of {}; Laterna makes the clip anew from the words.</source>
      <translation>{} fornece o clipe “{}”, que {} muda com uma força de {}; o Laterna faz o clipe do zero a partir das palavras.</translation>
    </message>
    <message>
      <source>{} guides by a control clip at strength {}; Laterna leaves it out.</source>
      <translation>{} guia por um clipe de controle com força {}; o Laterna o deixa de fora.</translation>
    </message>
    <message>
      <source>{} guides with a ControlNet that is not named by the picture “{}”, at strength {} from {} to {} of the schedule; Laterna leaves it out, and the result follows the words alone.</source>
      <translation>{} guia com um ControlNet sem nome pela imagem “{}”, com força {}, de {} a {} da programação; o Laterna o deixa de fora, e o resultado segue só as palavras.</translation>
    </message>
    <message>
      <source>{} guides with the ControlNet “{}” by the picture “{}”, at strength {} from {} to {} of the schedule; Laterna leaves it out, and the result follows the words alone.</source>
      <translation>{} guia com o ControlNet “{}” pela imagem “{}”, com força {}, de {} a {} da programação; o Laterna o deixa de fora, e o resultado segue só as palavras.</translation>
    </message>
    <message>
      <source>{} guides with two prompts; Laterna takes the first.</source>
      <translation>{} guia com dois prompts; o Laterna usa o primeiro.</translation>
    </message>
    <message>
      <source>{} has a mask “{}”, so that only a part changes; Laterna changes the whole picture.</source>
      <translation>{} tem uma máscara “{}”, de modo que só uma parte muda; o Laterna muda a imagem inteira.</translation>
    </message>
    <message>
      <source>{} has a mask, so that only a part changes; Laterna changes the whole picture.</source>
      <translation>{} tem uma máscara, de modo que só uma parte muda; o Laterna muda a imagem inteira.</translation>
    </message>
    <message>
      <source>{} has a network of no known kind.</source>
      <translation>{} tem uma rede de tipo desconhecido.</translation>
    </message>
    <message>
      <source>{} has a range from {} to {}, which was put in order.</source>
      <translation>{} tem um intervalo de {} a {}, que foi posto em ordem.</translation>
    </message>
    <message>
      <source>{} has a strength of {}; {} is used.</source>
      <translation>{} tem uma força de {}; usa-se {}.</translation>
    </message>
    <message>
      <source>{} has a text of {} characters; the first {} are used.</source>
      <translation>{} tem um texto de {} caracteres; usam-se os primeiros {}.</translation>
    </message>
    <message>
      <source>{} has become shorter.</source>
      <translation>{} ficou mais curto.</translation>
    </message>
    <message>
      <source>{} has no caption.</source>
      <translation>{} não tem legenda.</translation>
    </message>
    <message>
      <source>{} has no complete weights for {}.</source>
      <translation>{} não tem pesos completos para {}.</translation>
    </message>
    <message>
      <source>{} has no configuration.</source>
      <translation>{} não tem configuração.</translation>
    </message>
    <message>
      <source>{} has no folder {}.</source>
      <translation>{} não tem a pasta {}.</translation>
    </message>
    <message>
      <source>{} has no model_index.json.</source>
      <translation>{} não tem model_index.json.</translation>
    </message>
    <message>
      <source>{} has no sampler {} in this Laterna; {} makes another picture.</source>
      <translation>{} não tem o sampler {} neste Laterna; {} faz outra imagem.</translation>
    </message>
    <message>
      <source>{} has no sampler “{}”.</source>
      <translation>{} não tem o amostrador “{}”.</translation>
    </message>
    <message>
      <source>{} has no scheduler {} for {} in this Laterna; {} is used.</source>
      <translation>{} não tem o scheduler {} para {} neste Laterna; usa-se {}.</translation>
    </message>
    <message>
      <source>{} has no skip-layer guidance.</source>
      <translation>{} não tem orientação por salto de camadas.</translation>
    </message>
    <message>
      <source>{} has no skip-layer guidance; it is left out.</source>
      <translation>{} não tem orientação que pula camadas; ela fica de fora.</translation>
    </message>
    <message>
      <source>{} has no step caching.</source>
      <translation>{} não pode pular passos.</translation>
    </message>
    <message>
      <source>{} has no such version any more.</source>
      <translation>{} não tem mais essa versão.</translation>
    </message>
    <message>
      <source>{} has no weights.</source>
      <translation>{} não tem pesos.</translation>
    </message>
    <message>
      <source>{} has no {}.</source>
      <translation>{} não tem {}.</translation>
    </message>
    <message>
      <source>{} has reduced weights; Laterna runs the model's own.</source>
      <translation>{} tem pesos reduzidos; o Laterna executa os do próprio modelo.</translation>
    </message>
    <message>
      <source>{} has {} MB, more than any workflow.</source>
      <translation>{} tem {} MB, mais que qualquer fluxo de trabalho.</translation>
    </message>
    <message>
      <source>{} has {} characters; {} reads at most {}.</source>
      <translation>{} tem {} caracteres; {} lê no máximo {}.</translation>
    </message>
    <message>
      <source>{} has {} frames; {} are needed.</source>
      <translation>{} tem {} quadros; são precisos {}.</translation>
    </message>
    <message>
      <source>{} has {} {}; Laterna's is {}.</source>
      <translation>{} tem {} {}; o do Laterna é {}.</translation>
    </message>
    <message>
      <source>{} holds LoRAs, but no model.</source>
      <translation>{} contém LoRAs, mas nenhum modelo.</translation>
    </message>
    <message>
      <source>{} holds a model of the kind “{}”.</source>
      <translation>{} contém um modelo do tipo “{}”.</translation>
    </message>
    <message>
      <source>{} holds a {}.</source>
      <translation>{} contém um {}.</translation>
    </message>
    <message>
      <source>{} holds brightness that no screen shows, as numbers with a point do.</source>
      <translation>{} guarda um brilho que nenhuma tela mostra, como fazem os números com vírgula.</translation>
    </message>
    <message>
      <source>{} holds its weights as a pickle: opening it can run any program.</source>
      <translation>{} guarda os pesos como pickle: abri-lo pode executar qualquer programa.</translation>
    </message>
    <message>
      <source>{} holds more than weights, and opening it could run any program.</source>
      <translation>{} contém mais do que pesos, e abri-lo poderia executar qualquer programa.</translation>
    </message>
    <message>
      <source>{} holds no LoRA.</source>
      <translation>{} não contém LoRA.</translation>
    </message>
    <message>
      <source>{} holds no model that Laterna knows.</source>
      <translation>{} não contém nenhum modelo que o Laterna conheça.</translation>
    </message>
    <message>
      <source>{} holds no model that Laterna knows; {} files are none.</source>
      <translation>{} não contém nenhum modelo que o Laterna conheça; {} arquivos não são modelos.</translation>
    </message>
    <message>
      <source>{} holds no network that Laterna knows.</source>
      <translation>{} não contém nenhuma rede que o Laterna conheça.</translation>
    </message>
    <message>
      <source>{} holds no pictures.</source>
      <translation>{} não contém imagens.</translation>
    </message>
    <message>
      <source>{} holds no token.</source>
      <translation>{} não contém token.</translation>
    </message>
    <message>
      <source>{} holds no whole {}: {} is missing or odd.</source>
      <translation>{} não contém {} inteiro: {} falta ou é estranho.</translation>
    </message>
    <message>
      <source>{} holds no whole {}: {}.</source>
      <translation>{} não contém {} inteiro: {}.</translation>
    </message>
    <message>
      <source>{} holds nothing that Laterna can make.</source>
      <translation>{} não contém nada que o Laterna possa criar.</translation>
    </message>
    <message>
      <source>{} holds nothing that Laterna knows ({} tensors).</source>
      <translation>{} não contém nada que o Laterna conheça ({} tensores).</translation>
    </message>
    <message>
      <source>{} is FLUX's VAE.</source>
      <translation>{} é o VAE do FLUX.</translation>
    </message>
    <message>
      <source>{} is a CogVideoX transformer of {} channels (CogVideoX-Fun has 33).</source>
      <translation>{} é um transformer do CogVideoX de {} canais (o CogVideoX-Fun tem 33).</translation>
    </message>
    <message>
      <source>{} is a CogVideoX transformer without its patches.</source>
      <translation>{} é um transformer do CogVideoX sem seus patches.</translation>
    </message>
    <message>
      <source>{} is a ControlNet for {}.</source>
      <translation>{} é um ControlNet para {}.</translation>
    </message>
    <message>
      <source>{} is a ControlNet, not a model.</source>
      <translation>{} é um ControlNet, não um modelo.</translation>
    </message>
    <message>
      <source>{} is a LoRA for {}.</source>
      <translation>{} é um LoRA para {}.</translation>
    </message>
    <message>
      <source>{} is a LoRA, not a model.</source>
      <translation>{} é um LoRA, não um modelo.</translation>
    </message>
    <message>
      <source>{} is a network ({}) that makes no picture larger.</source>
      <translation>{} é uma rede ({}) que não amplia imagens.</translation>
    </message>
    <message>
      <source>{} is a pickle: opening it can run any program.</source>
      <translation>{} é um pickle: abri-lo pode executar qualquer programa.</translation>
    </message>
    <message>
      <source>{} is a second skip-layer guidance; Laterna applies one.</source>
      <translation>{} é uma segunda orientação que pula camadas; o Laterna aplica uma.</translation>
    </message>
    <message>
      <source>{} is a {} alone, not a model.</source>
      <translation>{} é só um {}, não um modelo.</translation>
    </message>
    <message>
      <source>{} is an MMDiT of {} blocks (Stable Diffusion 3 Medium has 24): no Stable Diffusion 3.5.</source>
      <translation>{} é um MMDiT de {} blocos (o Stable Diffusion 3 Medium tem 24): não é Stable Diffusion 3.5.</translation>
    </message>
    <message>
      <source>{} is called GGUF, but does not begin as such a file does.</source>
      <translation>{} se chama GGUF, mas não começa como um arquivo assim.</translation>
    </message>
    <message>
      <source>{} is damaged.</source>
      <translation>{} está danificado.</translation>
    </message>
    <message>
      <source>{} is damaged: it holds broken text.</source>
      <translation>{} está danificado: contém texto corrompido.</translation>
    </message>
    <message>
      <source>{} is damaged: {} has no matching pair of matrices.</source>
      <translation>{} está danificado: {} não tem um par de matrizes correspondente.</translation>
    </message>
    <message>
      <source>{} is damaged: {} holds values that are no numbers.</source>
      <translation>{} está danificado: {} contém valores que não são números.</translation>
    </message>
    <message>
      <source>{} is damaged: {}.</source>
      <translation>{} está danificado: {}.</translation>
    </message>
    <message>
      <source>{} is empty.</source>
      <translation>{} está vazio.</translation>
    </message>
    <message>
      <source>{} is gone from {}.</source>
      <translation>{} sumiu de {}.</translation>
    </message>
    <message>
      <source>{} is larger than the {} MiB that the engine keeps.</source>
      <translation>{} é maior que os {} MiB que o motor guarda.</translation>
    </message>
    <message>
      <source>{} is larger than {} MiB.</source>
      <translation>{} é maior do que {} MiB.</translation>
    </message>
    <message>
      <source>{} is missing in {}.</source>
      <translation>{} falta em {}.</translation>
    </message>
    <message>
      <source>{} is missing.</source>
      <translation>{} está faltando.</translation>
    </message>
    <message>
      <source>{} is neither a GIF nor a WebP.</source>
      <translation>{} não é um GIF nem um WebP.</translation>
    </message>
    <message>
      <source>{} is neither a PNG nor an MP4.</source>
      <translation>{} não é PNG nem MP4.</translation>
    </message>
    <message>
      <source>{} is no .safetensors file.</source>
      <translation>{} não é um arquivo .safetensors.</translation>
    </message>
    <message>
      <source>{} is no JSON object.</source>
      <translation>{} não é um objeto JSON.</translation>
    </message>
    <message>
      <source>{} is no MP4 or WebM.</source>
      <translation>{} não é um MP4 nem um WebM.</translation>
    </message>
    <message>
      <source>{} is no SHA-256.</source>
      <translation>{} não é um SHA-256.</translation>
    </message>
    <message>
      <source>{} is no checkpoint of a training, or damaged: {}.</source>
      <translation>{} não é um ponto de controle de treinamento, ou está danificado: {}.</translation>
    </message>
    <message>
      <source>{} is no file.</source>
      <translation>{} não é um arquivo.</translation>
    </message>
    <message>
      <source>{} is no loader that Laterna knows, so the model is not known.</source>
      <translation>{} não é um carregador que o Laterna conheça, por isso não se sabe o modelo.</translation>
    </message>
    <message>
      <source>{} is no loader that Laterna knows; its {} is read as the model.</source>
      <translation>{} não é um carregador que o Laterna conheça; o seu {} é lido como o modelo.</translation>
    </message>
    <message>
      <source>{} is no longer the file that the recipe was made with.</source>
      <translation>{} não é mais o arquivo com que a receita foi feita.</translation>
    </message>
    <message>
      <source>{} is no longer the picture that the recipe was made with.</source>
      <translation>{} não é mais a imagem com que a receita foi feita.</translation>
    </message>
    <message>
      <source>{} is no longer what the job was asked to work on.</source>
      <translation>{} já não é aquilo em que o trabalho devia trabalhar.</translation>
    </message>
    <message>
      <source>{} is no model file that Laterna knows.</source>
      <translation>{} não é um arquivo de modelo que o Laterna conheça.</translation>
    </message>
    <message>
      <source>{} is no node that Laterna knows, and what it makes of the prompt is lost.</source>
      <translation>{} não é um nó que o Laterna conheça, e o que ele faz do prompt se perde.</translation>
    </message>
    <message>
      <source>{} is no node that Laterna knows; its {} is read as a prompt.</source>
      <translation>{} não é um nó que o Laterna conheça; o seu {} é lido como um prompt.</translation>
    </message>
    <message>
      <source>{} is no picture.</source>
      <translation>{} não é uma imagem.</translation>
    </message>
    <message>
      <source>{} is no sampler that Laterna knows; what it shares with KSampler is read by name.</source>
      <translation>{} não é um sampler que o Laterna conheça; o que tem em comum com o KSampler é lido pelo nome.</translation>
    </message>
    <message>
      <source>{} is no sound GGUF file: {}.</source>
      <translation>{} não é um arquivo GGUF íntegro: {}.</translation>
    </message>
    <message>
      <source>{} is no sound safetensors file: {}.</source>
      <translation>{} não é um arquivo safetensors íntegro: {}.</translation>
    </message>
    <message>
      <source>{} is no text that can be read.</source>
      <translation>{} não é um texto que possa ser lido.</translation>
    </message>
    <message>
      <source>{} is not empty.</source>
      <translation>{} não está vazio.</translation>
    </message>
    <message>
      <source>{} is not in the store.</source>
      <translation>{} não está no depósito.</translation>
    </message>
    <message>
      <source>{} is not in the trash any more.</source>
      <translation>{} não está mais na lixeira.</translation>
    </message>
    <message>
      <source>{} is not on this machine.</source>
      <translation>{} não está neste computador.</translation>
    </message>
    <message>
      <source>{} is not reached: {}.</source>
      <translation>{} não é alcançado: {}.</translation>
    </message>
    <message>
      <source>{} is not the LoRA that the recipe was made with: its content differs.</source>
      <translation>{} não é a LoRA com que a receita foi feita: o conteúdo difere.</translation>
    </message>
    <message>
      <source>{} is not there any more.</source>
      <translation>{} não está mais lá.</translation>
    </message>
    <message>
      <source>{} is only given to people who are signed in and have accepted its licence.</source>
      <translation>{} só é dado a quem entrou na conta e aceitou a licença.</translation>
    </message>
    <message>
      <source>{} is the VAE that comes with the model.</source>
      <translation>{} é o VAE que vem com o modelo.</translation>
    </message>
    <message>
      <source>{} is the model {}.</source>
      <translation>{} é o modelo {}.</translation>
    </message>
    <message>
      <source>{} is the {} that comes with the model.</source>
      <translation>{} é o {} que vem com o modelo.</translation>
    </message>
    <message>
      <source>{} is {} × {}, but the picture {} × {}.</source>
      <translation>{} tem {} × {}, mas a imagem {} × {}.</translation>
    </message>
    <message>
      <source>{} is {} × {}: too large.</source>
      <translation>{} tem {} × {}: grande demais.</translation>
    </message>
    <message>
      <source>{} is {}, not a LoRA.</source>
      <translation>{} é {}, não um LoRA.</translation>
    </message>
    <message>
      <source>{} is {}.</source>
      <translation>{} é {}.</translation>
    </message>
    <message>
      <source>{} is {}; it must be from {} to {}.</source>
      <translation>{} é {}; deve ser de {} a {}.</translation>
    </message>
    <message>
      <source>{} is {}; {} needs a multiple of {}.</source>
      <translation>{} é {}; {} precisa de um múltiplo de {}.</translation>
    </message>
    <message>
      <source>{} keeps the shape of “{}”, which the workflow does not say.</source>
      <translation>{} mantém a forma de “{}”, que o fluxo de trabalho não diz.</translation>
    </message>
    <message>
      <source>{} keeps weights as {}, which Laterna does not read.</source>
      <translation>{} guarda pesos como {}, que o Laterna não lê.</translation>
    </message>
    <message>
      <source>{} keeps {} as a pickle, which can run code.</source>
      <translation>{} guarda {} como pickle, que pode executar código.</translation>
    </message>
    <message>
      <source>{} leaves noise in the picture; Laterna always removes all of it.</source>
      <translation>{} deixa ruído na imagem; o Laterna sempre o remove todo.</translation>
    </message>
    <message>
      <source>{} leaves the seed to chance ({}); {} was drawn.</source>
      <translation>{} deixa a semente ao acaso ({}); {} foi sorteada.</translation>
    </message>
    <message>
      <source>{} leaves {} out, having no text; Laterna encodes the empty text.</source>
      <translation>{} deixa {} de fora, por não ter texto; o Laterna codifica o texto vazio.</translation>
    </message>
    <message>
      <source>{} left the scheduler to the sampler; {} it is.</source>
      <translation>{} deixou o scheduler com o sampler; fica {}.</translation>
    </message>
    <message>
      <source>{} limits a prompt to a part of the picture; here it holds for all of it.</source>
      <translation>{} limita um prompt a uma parte da imagem; aqui ele vale para toda ela.</translation>
    </message>
    <message>
      <source>{} makes a schedule that Laterna does not know; simple is used.</source>
      <translation>{} faz uma programação que o Laterna não conhece; usa-se simple.</translation>
    </message>
    <message>
      <source>{} makes pictures, not clips.</source>
      <translation>{} faz imagens, não clipes.</translation>
    </message>
    <message>
      <source>{} makes the latent in a way that Laterna does not know.</source>
      <translation>{} faz o latente de um modo que o Laterna não conhece.</translation>
    </message>
    <message>
      <source>{} makes {} for {} as it runs; Laterna cannot, and it stays empty.</source>
      <translation>{} produz {} para {} ao rodar; o Laterna não consegue, e fica vazio.</translation>
    </message>
    <message>
      <source>{} makes {} for {} as it runs; Laterna cannot, and {} stands there now.</source>
      <translation>{} produz {} para {} ao rodar; o Laterna não consegue, e agora está {}.</translation>
    </message>
    <message>
      <source>{} makes {} frames instead of {}.</source>
      <translation>{} faz {} quadros em vez de {}.</translation>
    </message>
    <message>
      <source>{} makes {} × {} instead of {} × {}: sides are multiples of {} within its limits.</source>
      <translation>{} faz {} × {} em vez de {} × {}: os lados são múltiplos de {} dentro dos seus limites.</translation>
    </message>
    <message>
      <source>{} more LoRAs: a recipe has up to {}.</source>
      <translation>Mais {} LoRAs: uma receita tem até {}.</translation>
    </message>
    <message>
      <source>{} names a sampler “{}” that Laterna does not know; euler it is.</source>
      <translation>{} nomeia um sampler “{}” que o Laterna não conhece; fica euler.</translation>
    </message>
    <message>
      <source>{} names a scheduler “{}” that Laterna does not know; simple it is.</source>
      <translation>{} nomeia um scheduler “{}” que o Laterna não conhece; fica simple.</translation>
    </message>
    <message>
      <source>{} names a textual inversion; Laterna reads its name as plain words.</source>
      <translation>{} nomeia uma inversão textual; o Laterna lê o nome como palavras comuns.</translation>
    </message>
    <message>
      <source>{} names no LoRA.</source>
      <translation>{} não nomeia nenhum LoRA.</translation>
    </message>
    <message>
      <source>{} names no known model.</source>
      <translation>{} não indica um modelo conhecido.</translation>
    </message>
    <message>
      <source>{} names the clip's last picture “{}” too; Laterna takes the first.</source>
      <translation>{} nomeia também a última imagem do clipe, “{}”; o Laterna usa a primeira.</translation>
    </message>
    <message>
      <source>{} needs {}, and {} are free in {}.</source>
      <translation>{} precisa de {}, e {} estão livres em {}.</translation>
    </message>
    <message>
      <source>{} of memory, {} of it free.</source>
      <translation>{} de memória, {} livres.</translation>
    </message>
    <message>
      <source>{} of {} comes from {}.</source>
      <translation>{} de {} vem de {}.</translation>
    </message>
    <message>
      <source>{} points outside of its folder.</source>
      <translation>{} aponta para fora da própria pasta.</translation>
    </message>
    <message>
      <source>{} proxies are not supported.</source>
      <translation>Proxies {} não são aceitos.</translation>
    </message>
    <message>
      <source>{} puts two encoded texts in a row; Laterna encodes them as one text.</source>
      <translation>{} põe dois textos codificados em sequência; o Laterna os codifica como um só texto.</translation>
    </message>
    <message>
      <source>{} redirects to an address that is not safe.</source>
      <translation>{} redireciona para um endereço que não é seguro.</translation>
    </message>
    <message>
      <source>{} redirects without end.</source>
      <translation>{} redireciona sem fim.</translation>
    </message>
    <message>
      <source>{} repeats the latent {} times.</source>
      <translation>{} repete o latente {} vezes.</translation>
    </message>
    <message>
      <source>{} run one schedule in parts: guidance changes over the steps.</source>
      <translation>{} executam uma programação em partes: a orientação muda ao longo dos passos.</translation>
    </message>
    <message>
      <source>{} runs a part of the schedule on an empty latent; Laterna runs all of it.</source>
      <translation>{} executa uma parte da programação sobre um latente vazio; o Laterna a executa inteira.</translation>
    </message>
    <message>
      <source>{} runs reduced weights; Laterna runs the model's own, so details differ.</source>
      <translation>{} executa pesos reduzidos; o Laterna executa os do próprio modelo, por isso os detalhes diferem.</translation>
    </message>
    <message>
      <source>{} runs {} on the whole schedule; Laterna leaves out its last sigma but one, as KSampler does.</source>
      <translation>{} executa {} sobre toda a programação; o Laterna deixa de fora o penúltimo sigma, como o KSampler.</translation>
    </message>
    <message>
      <source>{} saves its values without names; {} stands there for {}.</source>
      <translation>{} salva os seus valores sem nomes; agora está {} para {}.</translation>
    </message>
    <message>
      <source>{} says {} for {}.</source>
      <translation>{} diz {} para {}.</translation>
    </message>
    <message>
      <source>{} says {}, but the folder holds {}.</source>
      <translation>{} diz {}, mas a pasta contém {}.</translation>
    </message>
    <message>
      <source>{} says “{}” for {}, which is no number; the model's usual one is used.</source>
      <translation>{} diz “{}” para {}, o que não é um número; usa-se o comum do modelo.</translation>
    </message>
    <message>
      <source>{} scales its embeddings; Laterna uses them at strength 1.</source>
      <translation>{} escala os seus embeddings; o Laterna os usa com força 1.</translation>
    </message>
    <message>
      <source>{} sends nothing any more.</source>
      <translation>{} não envia mais nada.</translation>
    </message>
    <message>
      <source>{} sets its sigmas by numbers of its own; Laterna's {} takes the model's range.</source>
      <translation>{} define os sigmas por números próprios; o {} do Laterna usa o intervalo do modelo.</translation>
    </message>
    <message>
      <source>{} ships with Laterna.</source>
      <translation>{} vem com o Laterna.</translation>
    </message>
    <message>
      <source>{} skips layers of CLIP; these models always take the last but one.</source>
      <translation>{} pula camadas do CLIP; estes modelos usam sempre a penúltima.</translation>
    </message>
    <message>
      <source>{} stops at step {}; here it runs to the end.</source>
      <translation>{} para no passo {}; aqui vai até o fim.</translation>
    </message>
    <message>
      <source>{} takes a component from {}, which is no model beside it.</source>
      <translation>{} usa um componente de {}, que não é um modelo ao lado dele.</translation>
    </message>
    <message>
      <source>{} takes at most {} of: {}.</source>
      <translation>{} aceita no máximo {} de: {}.</translation>
    </message>
    <message>
      <source>{} takes no (further) {} in this Laterna; {} is left out.</source>
      <translation>{} não aceita (mais) {} neste Laterna; {} fica de fora.</translation>
    </message>
    <message>
      <source>{} takes no negative prompt; it is left out.</source>
      <translation>{} não aceita prompt negativo; ele fica de fora.</translation>
    </message>
    <message>
      <source>{} takes no {} in this Laterna yet.</source>
      <translation>{} ainda não aceita {} nesta Laterna.</translation>
    </message>
    <message>
      <source>{} takes one prompt and one negative prompt yet.</source>
      <translation>{} ainda aceita só um prompt e um prompt negativo.</translation>
    </message>
    <message>
      <source>{} tells the model sizes and crops; these models take none.</source>
      <translation>{} informa tamanhos e cortes ao modelo; estes modelos não usam nenhum.</translation>
    </message>
    <message>
      <source>{} times {} × {} would be {} megapixels: too large.</source>
      <translation>{} vezes {} × {} seriam {} megapixels: grande demais.</translation>
    </message>
    <message>
      <source>{} uses the negative prompt over the whole schedule.</source>
      <translation>{} usa o prompt negativo em toda a programação.</translation>
    </message>
    <message>
      <source>{} wants to run code that came with the model.</source>
      <translation>{} quer executar código que veio com o modelo.</translation>
    </message>
    <message>
      <source>{} was not understood within {} minutes.</source>
      <translation>{} não foi compreendido em {} minutos.</translation>
    </message>
    <message>
      <source>{} was written by a newer Laterna.</source>
      <translation>{} foi gravado por um Laterna mais novo.</translation>
    </message>
    <message>
      <source>{} weighs the picture with {} from {} to {} of the schedule; Laterna takes it whole.</source>
      <translation>{} pesa a imagem com {} de {} a {} da programação; o Laterna a usa inteira.</translation>
    </message>
    <message>
      <source>{} works on the picture again ({} steps, denoise {}); the recipe is that of {}, which makes the first one.</source>
      <translation>{} trabalha de novo na imagem ({} passos, remoção de ruído {}); a receita é a de {}, que faz a primeira.</translation>
    </message>
    <message>
      <source>{} {} conditionings, each with its part of the schedule.</source>
      <translation>{} condicionamentos do lado {}, cada um com a sua parte da programação.</translation>
    </message>
    <message>
      <source>{} × {} is {} megapixels; {} ends at {}.</source>
      <translation>{} × {} são {} megapixels; {} termina em {}.</translation>
    </message>
    <message>
      <source>{}: its alpha is told as no number, so it is applied as if alpha were its rank.</source>
      <translation>{}: seu alfa não é dado como número, por isso é aplicado como se o alfa fosse o posto.</translation>
    </message>
    <message>
      <source>{}: {} is outside {} to {}; {} is used.</source>
      <translation>{}: {} está fora de {} a {}; usa-se {}.</translation>
    </message>
    <message>
      <source>{}: {} of {} layers are left out, this model does not have them: {}.</source>
      <translation>{}: {} de {} camadas ficaram de fora, este modelo não as tem: {}.</translation>
    </message>
    <message>
      <source>{}: {} steps of {} with {}, guidance {}, seed {}.</source>
      <translation>{}: {} passos de {} com {}, orientação {}, semente {}.</translation>
    </message>
    <message>
      <source>{}{} failed{}: {}.</source>
      <translation>{}{} falhou{}: {}.</translation>
    </message>
    <message>
      <source>“models complete {}” downloads just that.</source>
      <translation>“models complete {}” baixa só isso.</translation>
    </message>
    <message>
      <source>“models complete {}” downloads just that; or import files that hold it.</source>
      <translation>“models complete {}” baixa só isso; ou importe arquivos que o contenham.</translation>
    </message>
    <message>
      <source>“models list” shows what there is.</source>
      <translation>“models list” mostra o que há.</translation>
    </message>
    <message>
      <source>“{}” cannot be completed.</source>
      <translation>“{}” não pode ser completado.</translation>
    </message>
    <message>
      <source>“{}” cannot be the name of a style.</source>
      <translation>“{}” não pode ser o nome de um estilo.</translation>
    </message>
    <message>
      <source>“{}” cannot be varied.</source>
      <translation>“{}” não pode ser variado.</translation>
    </message>
    <message>
      <source>“{}” is no SHA-256.</source>
      <translation>“{}” não é um SHA-256.</translation>
    </message>
    <message>
      <source>“{}” is no import.</source>
      <translation>“{}” não é uma importação.</translation>
    </message>
    <message>
      <source>“{}” is no value here.</source>
      <translation>“{}” não é um valor aqui.</translation>
    </message>
    <message>
      <source>“{}” lacks its {}.</source>
      <translation>“{}” não tem {}.</translation>
    </message>
    <message>
      <source>“{}” leads out of the engine's home.</source>
      <translation>“{}” leva para fora da pasta do motor.</translation>
    </message>
    <message>
      <source>“{}” takes its {} from “{}”, which is not beside it.</source>
      <translation>“{}” usa seu componente {} de “{}”, que não está ao lado dele.</translation>
    </message>
    <message>
      <source>“{}” was not downloaded by Laterna.</source>
      <translation>“{}” não foi baixado pelo Laterna.</translation>
    </message>
  </context>
  <context>
    <name>Settings</name>
    <message>
      <source> GiB</source>
      <translation> GiB</translation>
    </message>
    <message>
      <source> s</source>
      <translation> s</translation>
    </message>
    <message>
      <source>A notification of the system, for jobs over ten seconds, while the window is not in front.</source>
      <translation>Um aviso do sistema, para trabalhos de mais de dez segundos, quando a janela não está à frente.</translation>
    </message>
    <message>
      <source>A prompt that was used before needs no text encoder then. At most half a gigabyte, readable by you alone. Without it, what is kept is deleted when the next job begins.</source>
      <translation>Assim, um prompt já usado dispensa o codificador de texto. No máximo meio gigabyte, que só você pode ler. Sem isso, o que está guardado é apagado quando o próximo trabalho começa.</translation>
    </message>
    <message>
      <source>After a start, wait with what is left in the queue</source>
      <translation>Ao iniciar, segurar o que restou na fila</translation>
    </message>
    <message>
      <source>Always</source>
      <translation>Sempre</translation>
    </message>
    <message>
      <source>As the system</source>
      <translation>Conforme o sistema</translation>
    </message>
    <message>
      <source>Beyond a small reserve: of the graphics card, or else of the computer. Large models may get slower.</source>
      <translation>Além de uma pequena reserva: da placa de vídeo ou, sem ela, do computador. Modelos grandes podem ficar mais lentos.</translation>
    </message>
    <message>
      <source>Colours</source>
      <translation>Cores</translation>
    </message>
    <message>
      <source>Compile models</source>
      <translation>Compilar modelos</translation>
    </message>
    <message>
      <source>Compiled models take less time a step, and a minute or more once. Pixels may differ in the last bits. Needs a C++ compiler.</source>
      <translation>Modelos compilados levam menos tempo por passo, e um minuto ou mais uma vez. Os pixels podem diferir nos últimos bits. Precisa de um compilador C++.</translation>
    </message>
    <message>
      <source>Complete words while typing</source>
      <translation>Completar palavras ao digitar</translation>
    </message>
    <message>
      <source>Dark</source>
      <translation>Escuro</translation>
    </message>
    <message>
      <source>Dark, light, or as the system says.</source>
      <translation>Escuro, claro, ou conforme o sistema.</translation>
    </message>
    <message>
      <source>Every preview costs a little of the time that making takes.</source>
      <translation>Cada prévia custa um pouco do tempo de criação.</translation>
    </message>
    <message>
      <source>Files</source>
      <translation>Arquivos</translation>
    </message>
    <message>
      <source>Folder for new files</source>
      <translation>Pasta dos novos arquivos</translation>
    </message>
    <message>
      <source>From the model's words, your wildcards and your earlier prompts; Tab takes one.</source>
      <translation>Das palavras do modelo, dos seus curingas e dos seus prompts anteriores; Tab aceita uma.</translation>
    </message>
    <message>
      <source>From the next start on.</source>
      <translation>A partir do próximo início.</translation>
    </message>
    <message>
      <source>Keep encoded prompts on the disk</source>
      <translation>Guardar no disco os prompts codificados</translation>
    </message>
    <message>
      <source>Language</source>
      <translation>Idioma</translation>
    </message>
    <message>
      <source>Light</source>
      <translation>Claro</translation>
    </message>
    <message>
      <source>Looks</source>
      <translation>Aparência</translation>
    </message>
    <message>
      <source>Making</source>
      <translation>Criando</translation>
    </message>
    <message>
      <source>Memory to leave to other programs</source>
      <translation>Memória a deixar para outros programas</translation>
    </message>
    <message>
      <source>Names of new files</source>
      <translation>Nomes dos novos arquivos</translation>
    </message>
    <message>
      <source>Never</source>
      <translation>Nunca</translation>
    </message>
    <message>
      <source>Of the window; prompts can be in any.</source>
      <translation>Da janela; os prompts podem estar em qualquer um.</translation>
    </message>
    <message>
      <source>Other programs and sites can then read the settings. It makes files a little larger.</source>
      <translation>Outros programas e sites podem então ler os ajustes. Os arquivos ficam um pouco maiores.</translation>
    </message>
    <message>
      <source>Pictures and clips that are made from now on; those that are there stay where they are.</source>
      <translation>Imagens e clipes feitos a partir de agora; os que já existem ficam onde estão.</translation>
    </message>
    <message>
      <source>Shorter is smoother; longer leaves more to the making.</source>
      <translation>Menor é mais suave; maior deixa mais para a criação.</translation>
    </message>
    <message>
      <source>Show the picture while it forms</source>
      <translation>Mostrar a imagem enquanto se forma</translation>
    </message>
    <message>
      <source>Tell when a long job has ended</source>
      <translation>Avisar quando um trabalho longo terminar</translation>
    </message>
    <message>
      <source>Time between two previews</source>
      <translation>Tempo entre duas prévias</translation>
    </message>
    <message>
      <source>When it pays</source>
      <translation>Quando compensa</translation>
    </message>
    <message>
      <source>Without it the queue goes on by itself as soon as the engine is ready.</source>
      <translation>Sem isto a fila continua sozinha assim que o motor estiver pronto.</translation>
    </message>
    <message>
      <source>Words in braces stand for what made the file. A name that is taken gets a number.</source>
      <translation>As palavras entre chaves representam o que fez o arquivo. Um nome já usado recebe um número.</translation>
    </message>
    <message>
      <source>Write A1111's parameters into PNGs too</source>
      <translation>Gravar também os parâmetros do A1111 nos PNGs</translation>
    </message>
    <message>
      <source>Writing prompts</source>
      <translation>Escrita de prompts</translation>
    </message>
  </context>
  <context>
    <name>SettingsWindow</name>
    <message>
      <source>Back to the default</source>
      <translation>Voltar ao padrão</translation>
    </message>
    <message>
      <source>No setting is called that.</source>
      <translation>Nenhuma configuração tem esse nome.</translation>
    </message>
    <message>
      <source>Search settings</source>
      <translation>Pesquisar configurações</translation>
    </message>
    <message>
      <source>Settings</source>
      <translation>Configurações</translation>
    </message>
    <message>
      <source>Usually off.</source>
      <translation>Normalmente desligado.</translation>
    </message>
    <message>
      <source>Usually on.</source>
      <translation>Normalmente ligado.</translation>
    </message>
    <message>
      <source>Usually {value}.</source>
      <translation>Normalmente {value}.</translation>
    </message>
    <message>
      <source>Usually “{value}”.</source>
      <translation>Normalmente “{value}”.</translation>
    </message>
    <message>
      <source>{name}: back to the default</source>
      <translation>{name}: voltar ao padrão</translation>
    </message>
  </context>
  <context>
    <name>ShortcutSheet</name>
    <message>
      <source>Keyboard shortcuts</source>
      <translation>Atalhos de teclado</translation>
    </message>
  </context>
  <context>
    <name>SideEditor</name>
    <message>
      <source>Add a prompt</source>
      <translation>Adicionar</translation>
    </message>
    <message>
      <source>Its own texts for CLIP-L and CLIP-G, its part of the schedule, averages</source>
      <translation>Textos próprios para CLIP-L e CLIP-G, sua parte do cronograma, médias</translation>
    </message>
    <message>
      <source>More settings</source>
      <translation>Mais</translation>
    </message>
  </context>
  <context>
    <name>SizeField</name>
    <message>
      <source>Custom: {size}</source>
      <translation>Personalizado: {size}</translation>
    </message>
    <message>
      <source>Custom…</source>
      <translation>Personalizado…</translation>
    </message>
    <message>
      <source>Height in pixels</source>
      <translation>Altura em pixels</translation>
    </message>
    <message>
      <source>Size</source>
      <translation>Tamanho</translation>
    </message>
    <message>
      <source>Swap width and height</source>
      <translation>Trocar largura e altura</translation>
    </message>
    <message>
      <source>This model was made for about {most} megapixels.</source>
      <translation>Este modelo foi feito para cerca de {most} megapixels.</translation>
    </message>
    <message>
      <source>This model was made for {least} to {most} megapixels.</source>
      <translation>Este modelo foi feito para {least} a {most} megapixels.</translation>
    </message>
    <message>
      <source>This model was made for {size}.</source>
      <translation>Este modelo foi feito para {size}.</translation>
    </message>
    <message>
      <source>Width in pixels</source>
      <translation>Largura em pixels</translation>
    </message>
    <message>
      <source>{size}  ·  native</source>
      <translation>{size}  ·  nativo</translation>
    </message>
  </context>
  <context>
    <name>SliderCanvas</name>
    <message>
      <source>Comparison with a slider</source>
      <translation>Comparação com divisor</translation>
    </message>
    <message>
      <source>left {0}, right {1}</source>
      <translation>à esquerda {0}, à direita {1}</translation>
    </message>
  </context>
  <context>
    <name>Smoothing</name>
    <message>
      <source>How many frames in a second</source>
      <translation>Quantos quadros por segundo</translation>
    </message>
    <message>
      <source>{fps} frames a second</source>
      <translation>{fps} quadros por segundo</translation>
    </message>
    <message>
      <source>{fps} frames a second: {count} clips</source>
      <translation>{fps} quadros por segundo: {count} clipes</translation>
    </message>
  </context>
  <context>
    <name>StatusBar</name>
    <message>
      <source>Clip</source>
      <translation>Clipe</translation>
    </message>
    <message>
      <source>Engine does not answer</source>
      <translation>O motor não responde</translation>
    </message>
    <message>
      <source>Engine ready</source>
      <translation>Motor pronto</translation>
    </message>
    <message>
      <source>Engine restarting</source>
      <translation>Motor reiniciando</translation>
    </message>
    <message>
      <source>Engine stopped</source>
      <translation>Motor parado</translation>
    </message>
    <message>
      <source>Engine warming up</source>
      <translation>Motor aquecendo</translation>
    </message>
    <message>
      <source>Engine working</source>
      <translation>Motor trabalhando</translation>
    </message>
    <message>
      <source>Image</source>
      <translation>Imagem</translation>
    </message>
    <message>
      <source>Progress of the running job</source>
      <translation>Progresso do trabalho em andamento</translation>
    </message>
    <message>
      <source>Queue {count}</source>
      <translation>Fila {count}</translation>
    </message>
    <message>
      <source>RAM</source>
      <translation>RAM</translation>
    </message>
    <message>
      <source>Show the queue, {count} waiting</source>
      <translation>Mostrar a fila, {count} esperando</translation>
    </message>
    <message>
      <source>Starting</source>
      <translation>Iniciando</translation>
    </message>
    <message>
      <source>Status</source>
      <translation>Estado</translation>
    </message>
    <message>
      <source>VRAM</source>
      <translation>VRAM</translation>
    </message>
    <message>
      <source>decoding</source>
      <translation>decodificando</translation>
    </message>
    <message>
      <source>enlarging</source>
      <translation>ampliando</translation>
    </message>
    <message>
      <source>loading the model</source>
      <translation>carregando o modelo</translation>
    </message>
    <message>
      <source>reading the prompt</source>
      <translation>lendo o prompt</translation>
    </message>
    <message>
      <source>saving</source>
      <translation>salvando</translation>
    </message>
    <message>
      <source>starting</source>
      <translation>iniciando</translation>
    </message>
    <message>
      <source>step {step} / {steps}</source>
      <translation>passo {step} / {steps}</translation>
    </message>
    <message>
      <source>waiting for the engine</source>
      <translation>esperando o motor</translation>
    </message>
    <message>
      <source>{time} left</source>
      <translation>restam {time}</translation>
    </message>
    <message>
      <source>{what} {number} of {total}</source>
      <translation>{what} {number} de {total}</translation>
    </message>
  </context>
  <context>
    <name>StepCaching</name>
    <message>
      <source>A bit faster, slightly different</source>
      <translation>Um pouco mais rápido, um pouco diferente</translation>
    </message>
    <message>
      <source>Every step, exact</source>
      <translation>Todos os passos, exato</translation>
    </message>
    <message>
      <source>Faster, slightly different</source>
      <translation>Mais rápido, um pouco diferente</translation>
    </message>
    <message>
      <source>Speed against exactness</source>
      <translation>Velocidade ou exatidão</translation>
    </message>
    <message>
      <source>Steps at which little changes are not computed. Measured on the models that come with Laterna: “a bit faster” leaves out a quarter of the steps, and pixels differ by {bit} of 255 on average; “faster” leaves out almost half, and they differ by {more}. What is in the picture stays.</source>
      <translation>Passos em que pouco muda não são calculados. Medido nos modelos que vêm com o Laterna: “um pouco mais rápido” pula um quarto dos passos, e os pixels diferem em média {bit} de 255; “mais rápido” pula quase metade, e diferem {more}. O que está na imagem fica.</translation>
    </message>
    <message>
      <source>Tolerance {value}</source>
      <translation>Tolerância {value}</translation>
    </message>
  </context>
  <context>
    <name>StyleButton</name>
    <message>
      <source>Edit styles…</source>
      <translation>Editar estilos…</translation>
    </message>
    <message>
      <source>None</source>
      <translation>Nenhum</translation>
    </message>
    <message>
      <source>Style: {name}</source>
      <translation>Estilo: {name}</translation>
    </message>
    <message>
      <source>Words around your prompt, by one choice</source>
      <translation>Palavras em volta do seu prompt, com uma escolha</translation>
    </message>
    <message>
      <source>Write it into the prompt</source>
      <translation>Escrever no prompt</translation>
    </message>
    <message>
      <source>none</source>
      <translation>nenhum</translation>
    </message>
  </context>
  <context>
    <name>StyleEditor</name>
    <message>
      <source>Name</source>
      <translation>Nome</translation>
    </message>
    <message>
      <source>New</source>
      <translation>Novo</translation>
    </message>
    <message>
      <source>Remove</source>
      <translation>Remover</translation>
    </message>
    <message>
      <source>Save</source>
      <translation>Salvar</translation>
    </message>
    <message>
      <source>Styles</source>
      <translation>Estilos</translation>
    </message>
    <message>
      <source>Words around the prompt</source>
      <translation>Palavras em volta do prompt</translation>
    </message>
    <message>
      <source>Words behind the negative prompt</source>
      <translation>Palavras depois do prompt negativo</translation>
    </message>
    <message>
      <source>{place} stands for your prompt. {{a|b}} and __wildcards__ work here too.</source>
      <translation>{place} representa o seu prompt. {{a|b}} e __curingas__ também valem aqui.</translation>
    </message>
  </context>
  <context>
    <name>Styles</name>
    <message>
      <source>3D render</source>
      <translation>Render 3D</translation>
    </message>
    <message>
      <source>Analogue photo</source>
      <translation>Foto analógica</translation>
    </message>
    <message>
      <source>Anime</source>
      <translation>Anime</translation>
    </message>
    <message>
      <source>Clay figure</source>
      <translation>Boneco de massinha</translation>
    </message>
    <message>
      <source>Comic</source>
      <translation>Quadrinhos</translation>
    </message>
    <message>
      <source>Concept art</source>
      <translation>Arte conceitual</translation>
    </message>
    <message>
      <source>Film still</source>
      <translation>Cena de filme</translation>
    </message>
    <message>
      <source>Flat illustration</source>
      <translation>Ilustração plana</translation>
    </message>
    <message>
      <source>Line art</source>
      <translation>Arte linear</translation>
    </message>
    <message>
      <source>Low poly</source>
      <translation>Low poly</translation>
    </message>
    <message>
      <source>Oil painting</source>
      <translation>Pintura a óleo</translation>
    </message>
    <message>
      <source>Pencil sketch</source>
      <translation>Esboço a lápis</translation>
    </message>
    <message>
      <source>Photo</source>
      <translation>Foto</translation>
    </message>
    <message>
      <source>Pixel art</source>
      <translation>Pixel art</translation>
    </message>
    <message>
      <source>Portrait photo</source>
      <translation>Retrato fotográfico</translation>
    </message>
    <message>
      <source>Poster with lettering</source>
      <translation>Cartaz com letras</translation>
    </message>
    <message>
      <source>Product photo</source>
      <translation>Foto de produto</translation>
    </message>
    <message>
      <source>Watercolour</source>
      <translation>Aquarela</translation>
    </message>
  </context>
  <context>
    <name>Submitting</name>
    <message>
      <source>Laterna is still starting; try again in a moment.</source>
      <translation>O Laterna ainda está iniciando; tente de novo em instantes.</translation>
    </message>
    <message>
      <source>The job is changed and back in the queue.</source>
      <translation>O trabalho foi alterado e voltou para a fila.</translation>
    </message>
    <message>
      <source>There is no model for this on this machine.</source>
      <translation>Não há modelo para isto neste computador.</translation>
    </message>
    <message>
      <source>{count} of {all} cannot be made here: the model is missing, or a setting does not fit.</source>
      <translation>{count} de {all} não podem ser feitas aqui: falta o modelo, ou um ajuste não serve.</translation>
    </message>
  </context>
  <context>
    <name>SuggestionList</name>
    <message>
      <source>Suggestions</source>
      <translation>Sugestões</translation>
    </message>
  </context>
  <context>
    <name>TextRows</name>
    <message>
      <source> tokens</source>
      <translation> tokens</translation>
    </message>
    <message>
      <source>As ComfyUI, with (weights:1.2)</source>
      <translation>Como o ComfyUI, com (pesos:1.2)</translation>
    </message>
    <message>
      <source>As diffusers, as written</source>
      <translation>Como o diffusers, ao pé da letra</translation>
    </message>
    <message>
      <source>ComfyUI's reading</source>
      <translation>Leitura do ComfyUI</translation>
    </message>
    <message>
      <source>Hide T5's padding</source>
      <translation>Ocultar o preenchimento do T5</translation>
    </message>
    <message>
      <source>How prompts are read</source>
      <translation>Como os prompts são lidos</translation>
    </message>
    <message>
      <source>Read the prompt with T5 too</source>
      <translation>Ler o prompt também com o T5</translation>
    </message>
    <message>
      <source>Reading</source>
      <translation>Leitura</translation>
    </message>
    <message>
      <source>Text length</source>
      <translation>Tokens do texto</translation>
    </message>
    <message>
      <source>The encoder reads any length; a shorter text is padded to this.</source>
      <translation>O codificador lê qualquer comprimento; um texto menor é preenchido até aqui.</translation>
    </message>
    <message>
      <source>The encoder reads this many tokens; a longer text is cut, a shorter one padded.</source>
      <translation>O codificador lê este número de tokens; um texto maior é cortado, um menor é preenchido.</translation>
    </message>
    <message>
      <source>The model was trained with the padding in sight; hiding it changes the picture.</source>
      <translation>O modelo foi treinado vendo o preenchimento; ocultá-lo muda a imagem.</translation>
    </message>
    <message>
      <source>Tokens that the text encoder reads</source>
      <translation>Tokens que o codificador de texto lê</translation>
    </message>
    <message>
      <source>padding hidden</source>
      <translation>preenchimento oculto</translation>
    </message>
    <message>
      <source>without T5</source>
      <translation>sem T5</translation>
    </message>
  </context>
  <context>
    <name>TileDelegate</name>
    <message>
      <source>File missing</source>
      <translation>Arquivo ausente</translation>
    </message>
    <message>
      <source>No preview</source>
      <translation>Sem prévia</translation>
    </message>
    <message>
      <source>Not in the trash any more</source>
      <translation>Não está mais na lixeira</translation>
    </message>
    <message>
      <source>{0} %</source>
      <translation>{0} %</translation>
    </message>
    <message>
      <source>{0} ×</source>
      <translation>{0} ×</translation>
    </message>
  </context>
  <context>
    <name>Toggles</name>
    <message>
      <source>New PNGs carry Automatic1111's settings beside Laterna's recipe.</source>
      <translation>Os novos PNGs trazem os ajustes do Automatic1111 além da receita do Laterna.</translation>
    </message>
    <message>
      <source>New PNGs carry Laterna's recipe alone.</source>
      <translation>Os novos PNGs trazem só a receita do Laterna.</translation>
    </message>
    <message>
      <source>Previews are not shown.</source>
      <translation>As prévias não são mostradas.</translation>
    </message>
    <message>
      <source>Previews are shown.</source>
      <translation>As prévias são mostradas.</translation>
    </message>
  </context>
  <context>
    <name>TokenDialog</name>
    <message>
      <source>1.  Open the model's page, sign in, and accept its licence there.</source>
      <translation>1.  Abra a página do modelo, entre na conta e aceite a licença lá.</translation>
    </message>
    <message>
      <source>2.  Make a token of the kind “read”.</source>
      <translation>2.  Crie um token do tipo “read”.</translation>
    </message>
    <message>
      <source>3.  Paste it here.</source>
      <translation>3.  Cole aqui.</translation>
    </message>
    <message>
      <source>A token is kept already</source>
      <translation>Já há um token guardado</translation>
    </message>
    <message>
      <source>It is kept in the system's keyring.</source>
      <translation>Fica guardado no chaveiro do sistema.</translation>
    </message>
    <message>
      <source>Keep</source>
      <translation>Guardar</translation>
    </message>
    <message>
      <source>This system has no keyring that Laterna can use: it is kept in a file that only you can read.</source>
      <translation>Este sistema não tem chaveiro que o Laterna possa usar: fica em um arquivo que só você pode ler.</translation>
    </message>
    <message>
      <source>Token</source>
      <translation>Token</translation>
    </message>
    <message>
      <source>Token for gated models</source>
      <translation>Token para modelos restritos</translation>
    </message>
  </context>
  <context>
    <name>Tour</name>
    <message>
      <source>Describe on the left what you want to see, and press Ctrl+Enter.</source>
      <translation>Descreva à esquerda o que você quer ver e pressione Ctrl+Enter.</translation>
    </message>
    <message>
      <source>Drag a result out to use it anywhere, or drop one on the window to make it again.</source>
      <translation>Arraste um resultado para usá-lo em qualquer lugar, ou solte um na janela para criá-lo de novo.</translation>
    </message>
    <message>
      <source>First steps</source>
      <translation>Primeiros passos</translation>
    </message>
    <message>
      <source>Got it</source>
      <translation>Entendi</translation>
    </message>
    <message>
      <source>Make a first picture</source>
      <translation>Criar uma primeira imagem</translation>
    </message>
    <message>
      <source>Watch it form here; everything you make stays in the gallery on the right.</source>
      <translation>Veja se formar aqui; tudo o que você cria fica na galeria à direita.</translation>
    </message>
  </context>
  <context>
    <name>Transport</name>
    <message>
      <source>Begin here (I)</source>
      <translation>Começar aqui (I)</translation>
    </message>
    <message>
      <source>End here (O)</source>
      <translation>Terminar aqui (O)</translation>
    </message>
    <message>
      <source>Frame</source>
      <translation>Quadro</translation>
    </message>
    <message>
      <source>Length</source>
      <translation>Duração</translation>
    </message>
    <message>
      <source>Loop</source>
      <translation>Repetir</translation>
    </message>
    <message>
      <source>Next frame</source>
      <translation>Próximo quadro</translation>
    </message>
    <message>
      <source>Once</source>
      <translation>Uma vez</translation>
    </message>
    <message>
      <source>Pause</source>
      <translation>Pausar</translation>
    </message>
    <message>
      <source>Play</source>
      <translation>Reproduzir</translation>
    </message>
    <message>
      <source>Player</source>
      <translation>Reprodutor</translation>
    </message>
    <message>
      <source>Previous frame</source>
      <translation>Quadro anterior</translation>
    </message>
    <message>
      <source>Speed</source>
      <translation>Velocidade</translation>
    </message>
    <message>
      <source>Time</source>
      <translation>Tempo</translation>
    </message>
    <message>
      <source>To and fro</source>
      <translation>Ida e volta</translation>
    </message>
  </context>
  <context>
    <name>UnknownWordsLabel</name>
    <message>
      <source>Drawn as: {prompt}</source>
      <translation>Desenhado como: {prompt}</translation>
    </message>
    <message>
      <source>This model does not know: {words}</source>
      <translation>Este modelo não conhece: {words}</translation>
    </message>
  </context>
  <context>
    <name>UpscalerRow</name>
    <message>
      <source>Remove</source>
      <translation>Remover</translation>
    </message>
    <message>
      <source>Remove {name}</source>
      <translation>Remover {name}</translation>
    </message>
    <message>
      <source>ships with Laterna, {licence}</source>
      <translation>vem com o Laterna, {licence}</translation>
    </message>
    <message>
      <source>{scale} times larger  ·  {architecture}  ·  about {memory} MB</source>
      <translation>{scale} vezes maior  ·  {architecture}  ·  cerca de {memory} MB</translation>
    </message>
  </context>
  <context>
    <name>UpscalingField</name>
    <message>
      <source>How much larger, and by what</source>
      <translation>Quanto ampliar, e com quê</translation>
    </message>
    <message>
      <source>Make results larger</source>
      <translation>Ampliar os resultados</translation>
    </message>
    <message>
      <source>Saved at this size. Without the tick: as the model makes it, {width} × {height}.</source>
      <translation>Salvo neste tamanho. Sem a marca: como o modelo faz, {width} × {height}.</translation>
    </message>
  </context>
  <context>
    <name>Variations</name>
    <message>
      <source>Close</source>
      <translation>Fechar</translation>
    </message>
    <message>
      <source>Every alternative</source>
      <translation>Todas as alternativas</translation>
    </message>
    <message>
      <source>Frames</source>
      <translation>Quadros</translation>
    </message>
    <message>
      <source>Guidance</source>
      <translation>Orientação</translation>
    </message>
    <message>
      <source>Height</source>
      <translation>Altura</translation>
    </message>
    <message>
      <source>Negative prompt</source>
      <translation>Prompt negativo</translation>
    </message>
    <message>
      <source>Prompt</source>
      <translation>Prompt</translation>
    </message>
    <message>
      <source>Queue</source>
      <translation>Fila</translation>
    </message>
    <message>
      <source>Queue {0} jobs</source>
      <translation>Enfileirar {0} trabalhos</translation>
    </message>
    <message>
      <source>Sampler</source>
      <translation>Amostrador</translation>
    </message>
    <message>
      <source>Scheduler</source>
      <translation>Agendador</translation>
    </message>
    <message>
      <source>Seed</source>
      <translation>Semente</translation>
    </message>
    <message>
      <source>Shift</source>
      <translation>Shift</translation>
    </message>
    <message>
      <source>Steps</source>
      <translation>Passos</translation>
    </message>
    <message>
      <source>Strength of the LoRA</source>
      <translation>Força do LoRA</translation>
    </message>
    <message>
      <source>Strength of the start picture</source>
      <translation>Força da imagem inicial</translation>
    </message>
    <message>
      <source>Variations</source>
      <translation>Variações</translation>
    </message>
    <message>
      <source>Vary</source>
      <translation>Variar</translation>
    </message>
    <message>
      <source>Width</source>
      <translation>Largura</translation>
    </message>
    <message>
      <source>and</source>
      <translation>e</translation>
    </message>
    <message>
      <source>nothing else</source>
      <translation>nada mais</translation>
    </message>
    <message>
      <source>{0} jobs</source>
      <translation>{0} trabalhos</translation>
    </message>
  </context>
  <context>
    <name>ViewExports</name>
    <message>
      <source>Save a copy</source>
      <translation>Salvar uma cópia</translation>
    </message>
    <message>
      <source>Save this frame</source>
      <translation>Salvar este quadro</translation>
    </message>
    <message>
      <source>Saved as {0}.</source>
      <translation>Salvo como {0}.</translation>
    </message>
    <message>
      <source>The file is not there any more: {0}.</source>
      <translation>O arquivo não está mais lá: {0}.</translation>
    </message>
  </context>
  <context>
    <name>ViewHeader</name>
    <message>
      <source>Add to favourites</source>
      <translation>Adicionar aos favoritos</translation>
    </message>
    <message>
      <source>Copy</source>
      <translation>Copiar</translation>
    </message>
    <message>
      <source>Export this part as GIF, WebP or MP4, or drag it from here</source>
      <translation>Exportar este trecho como GIF, WebP ou MP4, ou arrastá-lo daqui</translation>
    </message>
    <message>
      <source>Remove from favourites</source>
      <translation>Remover dos favoritos</translation>
    </message>
    <message>
      <source>Save a copy as…</source>
      <translation>Salvar uma cópia como…</translation>
    </message>
    <message>
      <source>Save this frame as PNG, or drag it from here</source>
      <translation>Salvar este quadro como PNG, ou arrastá-lo daqui</translation>
    </message>
    <message>
      <source>Show the recipe (Ctrl+Shift+I)</source>
      <translation>Mostrar a receita (Ctrl+Shift+I)</translation>
    </message>
    <message>
      <source>seed {0}</source>
      <translation>semente {0}</translation>
    </message>
  </context>
  <context>
    <name>ViewPanel</name>
    <message>
      <source>Being made</source>
      <translation>Em criação</translation>
    </message>
    <message>
      <source>Describe it in the prompt, then press Generate (Ctrl+Enter).</source>
      <translation>Descreva no prompt, depois pressione Gerar (Ctrl+Enter).</translation>
    </message>
    <message>
      <source>Get a fresh copy of it.</source>
      <translation>Obtenha uma nova cópia.</translation>
    </message>
    <message>
      <source>Not in the trash any more</source>
      <translation>Não está mais na lixeira</translation>
    </message>
    <message>
      <source>The file is missing</source>
      <translation>O arquivo está ausente</translation>
    </message>
    <message>
      <source>The picture shows as it forms.</source>
      <translation>A imagem aparece enquanto se forma.</translation>
    </message>
    <message>
      <source>The trash was emptied of {0}. Its recipe is still here, and makes it again.</source>
      <translation>{0} foi apagado da lixeira. A receita ainda está aqui e o faz de novo.</translation>
    </message>
    <message>
      <source>This clip cannot be played</source>
      <translation>Este clipe não pode ser reproduzido</translation>
    </message>
    <message>
      <source>This picture cannot be shown</source>
      <translation>Esta imagem não pode ser mostrada</translation>
    </message>
    <message>
      <source>View</source>
      <translation>Visualização</translation>
    </message>
    <message>
      <source>What you make shows here</source>
      <translation>O que você cria aparece aqui</translation>
    </message>
    <message>
      <source>frame {0} / {1}</source>
      <translation>quadro {0} / {1}</translation>
    </message>
    <message>
      <source>{0} cannot be shown: it is damaged.</source>
      <translation>{0} não pode ser mostrado: está danificado.</translation>
    </message>
    <message>
      <source>{0} fps</source>
      <translation>{0} qps</translation>
    </message>
    <message>
      <source>{0} is not there any more. Put it back, or delete this entry.</source>
      <translation>{0} não está mais lá. Ponha de volta, ou exclua esta entrada.</translation>
    </message>
  </context>
  <context>
    <name>WeightsChoice</name>
    <message>
      <source>8 bits take half the memory of 16. Measured on the models that come with Laterna, pixels then differ by {value} of 255 on average, and what is in the picture stays.</source>
      <translation>8 bits ocupam metade da memória de 16. Medido nos modelos que vêm com o Laterna, os pixels diferem então em média {value} de 255, e o que está na imagem permanece.</translation>
    </message>
    <message>
      <source>8 bits, less memory, slightly different</source>
      <translation>8 bits, menos memória, ligeiramente diferente</translation>
    </message>
    <message>
      <source>As in the files, exact</source>
      <translation>Como nos arquivos, exato</translation>
    </message>
    <message>
      <source>Weights of the model</source>
      <translation>Pesos do modelo</translation>
    </message>
  </context>
</TS>
